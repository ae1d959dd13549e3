// Unit tests of the index of live filters: results compared with the oracle, removal, memory.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { packFilters } from '../../src/channel/packed-filters.ts';
import { EventView } from '../../src/monitor/event-view.ts';
import { FilterIndex } from '../../src/monitor/filter-index.ts';
import type { Subscription } from '../../src/monitor/subscription.ts';
import { TermLists } from '../../src/monitor/term-lists.ts';
import { canonicalJson } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { type Filter, parseFilter } from '../../src/protocol/filter.ts';
import { BodyMaker } from '../../src/store/body/body.ts';
import { TermHasher } from '../../src/store/index/terms.ts';
import { Generator } from '../support/generator.ts';
import { matches, type RawFilter } from '../support/oracle.ts';
import { Random, testSeed } from '../support/random.ts';

const hasher = new TermHasher(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));

function parsed(raw: unknown): Filter {
  const filter = parseFilter(raw, { filterValuesMax: 100_000, filterTagsMax: 100 });
  if (typeof filter === 'string') throw new Error(filter);
  return filter;
}

function packed(filters: readonly Filter[]): string {
  return Buffer.from(packFilters(filters)).toString('latin1');
}

function subscription(subNo: number): Subscription {
  return { connId: 1, subNo, prefix: '', afterSeq: 0, matchedTurn: 0, audience: { readers: [] } };
}

function found(index: FilterIndex, event: NostrEvent, bodies: BodyMaker, seq = 1): number[] {
  const { kind, created_at: createdAt } = event;
  const idBytes = Buffer.from(event.id, 'hex');
  const pubkeyBytes = Buffer.from(event.pubkey, 'hex');
  const body = Buffer.from(bodies.make(Buffer.from(canonicalJson(event))));
  const subNos: number[] = [];
  const terms = Float64Array.from(hasher.ofEvent(event));
  const view = new EventView({ idBytes, pubkeyBytes, kind, createdAt, body });
  index.match(terms, seq, view, ({ subNo }) => subNos.push(subNo));
  return subNos.sort((a, b) => a - b);
}

describe('an index of live filters', () => {
  it('finds the filters that match, however far it has come, and no others', () => {
    const random = new Random(testSeed('monitor/filter-index'));
    const generator = new Generator(random, { now: 1_750_000_000 });
    for (let round = 0; round < 30; round++) {
      const index = new FilterIndex(hasher);
      const bodies = new BodyMaker(random.chance(0.5));
      const open = new Map<
        number,
        { filters: RawFilter[]; handle: ReturnType<FilterIndex['add']> }
      >();
      for (let step = 0; step < 150; step++) {
        if (random.chance(0.6)) {
          const filters = generator.filters();
          const handle = index.add(subscription(step), packed(filters.map(parsed)));
          open.set(step, { filters, handle });
        } else if (open.size > 0 && random.chance(0.7)) {
          const subNo = random.pick([...open.keys()]);
          index.remove(open.get(subNo)!.handle);
          open.delete(subNo);
        }
        if (random.chance(0.5)) index.index(random.below(20));
        const event = generator.event({});
        const expected = [...open].flatMap(([subNo, { filters }]) =>
          filters.some((filter) => matches(filter, event)) ? [subNo] : [],
        );
        expect(found(index, event, bodies), `round ${round} step ${step}`).toEqual(expected);
      }
      for (const { handle } of open.values()) index.remove(handle);
      expect(found(index, generator.event({}), bodies)).toEqual([]);
    }
  });

  it('leaves out what a subscription was answered up to', () => {
    const index = new FilterIndex(hasher);
    const event = new Generator(new Random(1), { now: 1_750_000_000 }).event({ kind: 1 });
    index.add({ ...subscription(1), afterSeq: 5 }, packed([parsed({})]));
    index.index(1);
    const bodies = new BodyMaker(true);
    expect([4, 5, 6, 0].map((seq) => found(index, event, bodies, seq).length)).toEqual([
      0, 0, 1, 1,
    ]);
  });

  it('stands under one term for each value, not for each combination', () => {
    const index = new FilterIndex(hasher);
    const authors = Array.from({ length: 1_000 }, (_, n) => n.toString(16).padStart(64, '0'));
    const kinds = Array.from({ length: 1_000 }, (_, n) => n);
    const [filter] = index.add(subscription(1), packed([parsed({ authors, kinds })]));
    expect(filter!.terms).toBe(1_000);
  });
});

describe('an index of live filters: memory', () => {
  it('takes at most three times the memory of the REQ', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const memory = () => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const hex = (n: number) => n.toString(16).padStart(64, '0');
    const index = new FilterIndex(hasher);
    const before = memory();
    let json = 0;
    const handles: ReturnType<FilterIndex['add']>[] = [];
    for (let n = 0; n < 400; n++) {
      const authors = Array.from({ length: 250 }, (_, i) => hex(n * 1_000 + i));
      const raw = n % 2 === 0 ? { authors, kinds: [1, 6, 7] } : { '#e': authors, kinds: [1] };
      json += JSON.stringify(raw).length;
      handles.push(index.add(subscription(n), packed([parsed(raw)])));
    }
    index.index(Number.POSITIVE_INFINITY);
    await expect.poll(() => (memory() - before) / json).toBeLessThan(3);
    const full = memory();
    const removeAll = () => {
      while (handles.length > 0) index.remove(handles.pop()!);
    };
    removeAll();
    // Polled, because a collection in progress keeps newer garbage until the next one.
    await expect.poll(() => memory() - before).toBeLessThan((full - before) / 10);
  });
});

describe('lists by term', () => {
  it('hold what was added and not removed, whatever the order', () => {
    const random = new Random(testSeed('monitor/filter-index lists'));
    const nodes = new Map<string, number>();
    const lists = new TermLists((filter, ordinal, node) => nodes.set(`${filter}:${ordinal}`, node));
    const expected = new Map<number, Set<string>>();
    const terms = Array.from({ length: 300 }, (_, n) => hasher.tag('t', `${n}`));
    const termOf = new Map<string, number>();
    for (let step = 0; step < 40_000; step++) {
      const grows = step % 20_000 < 13_000;
      if (nodes.size === 0 || random.chance(grows ? 0.7 : 0.3)) {
        const term = random.pick(terms);
        const key = `${step}:${step % 7}`;
        nodes.set(key, lists.add(term, step, step % 7, step * 2));
        termOf.set(key, term);
        expected.set(term, (expected.get(term) ?? new Set()).add(key));
      } else {
        const key = random.pick([...nodes.keys()].slice(0, 50));
        const node = nodes.get(key)!;
        nodes.delete(key);
        lists.remove(node);
        expected.get(termOf.get(key)!)!.delete(key);
      }
      if (step % 500 !== 0) continue;
      for (const term of terms) {
        const seen: string[] = [];
        for (let node = lists.first(term); node >= 0; node = lists.next(node)) {
          expect(lists.placeOf(node)).toBe(lists.filterOf(node) * 2);
          seen.push(`${lists.filterOf(node)}:${lists.filterOf(node) % 7}`);
        }
        expect(seen.sort()).toEqual([...(expected.get(term) ?? [])].sort());
      }
    }
    expect(lists.size).toBe(nodes.size);
  });
});
