// Unit tests of Timeline, the recent columns of a query worker, compared with a naive list.

import { describe, expect, it } from 'vitest';
import { endOfSecond, newestFirst } from '../../src/store/read/entry.ts';
import { RecentColumns } from '../../src/store/read/recent-columns.ts';
import { Random, testSeed } from '../support/random.ts';

const seed = testSeed('store/recent-columns');

interface Row {
  createdAt: number;
  seq: number;
  kind: number;
  author: string;
}

/** Returns the key of an author; some keys share a prefix. */
function pubkeyOf(author: number): string {
  return `${'ab'.repeat(author % 3 === 0 ? 16 : 4)}${author.toString(16)}`.padEnd(64, '7');
}

describe('the timeline', () => {
  it('gives what a naive list gives, in its order, down to its floor', () => {
    const random = new Random(seed);
    for (let round = 0; round < 60; round++) {
      const eventsMax = 16 + random.below(100);
      const recentColumns = new RecentColumns(eventsMax);
      const rows: Row[] = [];
      for (let seq = 1; seq <= 400; seq++) {
        const late = random.chance(0.3) ? random.below(80) : random.below(3);
        const row = {
          createdAt: Math.max(0, Math.floor(seq / 4) - late),
          seq,
          kind: random.below(3),
          author: pubkeyOf(random.below(12)),
        };
        rows.push(row);
        recentColumns.add(row.createdAt, row.seq, row.kind, Buffer.from(row.author, 'hex'));
        if (random.chance(0.1)) compare(recentColumns, rows, random);
      }
      expect(recentColumns.size).toBeLessThanOrEqual(eventsMax * 2);
      expect(recentColumns.floor).toBeGreaterThan(-1);
    }
  });

  it('keeps the newest events that it was asked to keep', () => {
    const recentColumns = new RecentColumns(50);
    for (let seq = 1; seq <= 1_000; seq++)
      recentColumns.add(seq, seq, 1, Buffer.from(pubkeyOf(1), 'hex'));
    const query = {
      authors: Buffer.from(pubkeyOf(1), 'hex'),
      kinds: null,
      since: 0,
      behind: endOfSecond(2_000),
      head: 1_000,
      want: 1e9,
    };
    const { entries, rest } = recentColumns.collect(query);
    expect(entries.length).toBeGreaterThanOrEqual(50);
    expect(entries.map(({ seq }) => seq)).toEqual(
      Array.from({ length: entries.length }, (_, i) => 1_000 - i),
    );
    expect(rest).toEqual(endOfSecond(1_000 - entries.length));
  });
});

function compare(recentColumns: RecentColumns, rows: readonly Row[], random: Random): void {
  const authors = random.sample([0, 1, 2, 3, 4, 5, 13], 3).map(pubkeyOf);
  const kinds = random.chance(0.5) ? new Set([random.below(3)]) : null;
  const since = random.below(60);
  const until = since + random.below(60);
  const head = rows.length - random.below(10);
  const want = 1 + random.below(20);
  const { floor } = recentColumns;
  const behind = random.chance(0.5)
    ? endOfSecond(until)
    : { createdAt: until, seq: random.below(rows.length) };
  const { entries, rest } = recentColumns.collect({
    authors: Buffer.from(authors.join(''), 'hex'),
    kinds,
    since,
    behind,
    head,
    want,
  });
  // The place up to which the timeline was read; the rest is compared up to it.
  const end = rest ?? { createdAt: since, seq: 0 };
  const expected = rows
    .filter(
      (row) =>
        row.createdAt >= since &&
        newestFirst(row, end) <= 0 &&
        newestFirst(behind, row) < 0 &&
        row.seq <= head &&
        authors.includes(row.author) &&
        (kinds === null || kinds.has(row.kind)),
    )
    .sort(newestFirst);
  const plain = entries.map(({ createdAt, seq, kind }) => ({ createdAt, seq, kind }));
  expect(plain).toEqual(expected.map(({ createdAt, seq, kind }) => ({ createdAt, seq, kind })));
  expect(entries.length).toBeLessThanOrEqual(want);
  if (rest !== null && rest.createdAt > floor) expect(entries.length).toBe(want);
  if (rest === null) expect(floor < since || since > until || until <= floor).toBe(true);
}
