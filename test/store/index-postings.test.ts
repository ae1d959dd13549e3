// Unit tests of IndexPostings, the pages of posting lists, and of the cursors over them.

import { describe, expect, it } from 'vitest';
import { closeWriter, openWriter } from '../../src/store/database/open.ts';
import { MergedCursor, TermCursor } from '../../src/store/read/cursor.ts';
import {
  type Direction,
  type Entry,
  endOfSecond,
  newestFirst,
  oldestFirst,
  startOfSecond,
} from '../../src/store/read/entry.ts';
import { IndexPostings, pagesOfLists } from '../../src/store/read/index-postings.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory, testConfig } from '../support/relay.ts';

const END = Number.MAX_SAFE_INTEGER;
const ORDERS = { upwards: oldestFirst, downwards: newestFirst } as const;
const DIRECTIONS: Direction[] = ['upwards', 'downwards'];

/** An index with a list for each of the terms 1 to 3, many entries of which are of one second. */
function index(random: Random) {
  const db = openWriter({ ...testConfig(freshDirectory()).storage, synchronous: 'normal' });
  const put = db.prepare('INSERT INTO posting (term, created_at, seq, kind) VALUES (?, ?, ?, 4)');
  const drop = db.prepare('DELETE FROM posting WHERE term = ? AND created_at = ? AND seq = ?');
  const lists = new Map<number, Entry[]>([1, 2, 3].map((term) => [term, []]));
  db.transaction(() => {
    for (let seq = 1; seq <= 120; seq++) {
      const createdAt = random.below(30);
      for (const [term, list] of lists) {
        if (!random.chance(0.6)) continue;
        put.run(term, createdAt, seq);
        list.push({ createdAt, seq, kind: 4 });
      }
    }
  })();
  return { db, put, drop, lists, close: () => closeWriter(db, false) };
}

describe('pages of posting lists', () => {
  it.each(DIRECTIONS)('go through a list %s, whatever changes between two of them', (direction) => {
    const random = new Random(testSeed(`store/index-postings ${direction}`));
    for (let round = 0; round < 10; round++) {
      const { db, put, drop, lists, close } = index(random);
      const order = ORDERS[direction];
      const list = [...lists.get(1)!].sort(order);
      const last = random.pick([10, direction === 'upwards' ? END : 0]);
      const within = list.filter(({ createdAt }) =>
        direction === 'upwards' ? createdAt <= last : createdAt >= last,
      );
      const rows = 1 + random.below(9);
      const found: Entry[] = [];
      for (const page of new IndexPostings(db, direction).pages(1, last, rows)) {
        found.push(...page);
        // What was read goes, as retention removes it, and something new comes before it.
        for (const { createdAt, seq } of page) drop.run(1, createdAt, seq);
        put.run(1, direction === 'upwards' ? 0 : 30, -found.length);
      }
      expect(found).toEqual(within);
      close();
    }
  });

  it('go through several lists one after the other', () => {
    const random = new Random(testSeed('store/index-postings lists'));
    const { db, lists, close } = index(random);
    const found = [...pagesOfLists(db, { first: 2, end: 4 }, 7)].flat();
    const expected = [2, 3].flatMap((term) =>
      [...lists.get(term)!].sort(oldestFirst).map(({ seq }) => [term, seq]),
    );
    expect(found.map(({ term, seq }) => [term, seq])).toEqual(expected);
    close();
  });

  it.each(DIRECTIONS)('are merged %s, without what the index got later', (direction) => {
    const random = new Random(testSeed(`store/index-postings merge ${direction}`));
    for (let round = 0; round < 10; round++) {
      const { db, put, lists, close } = index(random);
      const order = ORDERS[direction];
      const indexed = 100;
      const behind = direction === 'upwards' ? startOfSecond(3) : endOfSecond(27);
      const last = direction === 'upwards' ? 27 : 3;
      const merged = new MergedCursor(order);
      const source = new IndexPostings(db, direction);
      for (const term of lists.keys()) {
        merged.add(new TermCursor({ source, term, last, behind, indexed, pageRows: 8 }, 2));
      }
      const found: number[] = [];
      for (let { head } = merged; head !== null; head = merged.head) {
        merged.advance();
        found.push(head.seq);
        put.run(1 + random.below(3), random.below(30), 1_000 + found.length);
      }
      const expected = [...lists.values()]
        .flat()
        .filter(({ createdAt, seq }) => createdAt >= 3 && createdAt <= 27 && seq <= indexed)
        .sort(order);
      expect(found).toEqual(expected.map(({ seq }) => seq));
      close();
    }
  });
});
