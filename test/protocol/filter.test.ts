// Unit tests of filters (parsing, compiling, matching compared with the oracle) and of the oracle.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import {
  compileFilter,
  type Filter,
  type FilterLimits,
  indexedTags,
  parseFilter,
} from '../../src/protocol/filter.ts';
import { type Draft, Generator, INVALID_FILTERS } from '../support/generator.ts';
import { matches, Oracle, type RawFilter } from '../support/oracle.ts';
import { Random, testSeed } from '../support/random.ts';

const SEED = testSeed('protocol/filter');
const NOW = 1_800_000_000;
const TIME_MAX = 2 ** 53 - 1;
const LIMITS: FilterLimits = { filterValuesMax: 500, filterTagsMax: 3 };
const HEX = 'a'.repeat(64);
const HEX2 = 'b'.repeat(64);
const NO_CONDITION: Filter = {
  ids: null,
  authors: null,
  kinds: null,
  tags: [],
  since: null,
  until: null,
  limit: null,
  matchesNothing: false,
};

function parsed(value: unknown, limits: Partial<FilterLimits> = {}): Filter {
  const filter = parseFilter(value, { ...LIMITS, ...limits });
  if (typeof filter === 'string') throw new Error(filter);
  return filter;
}

function generator(options: { timeSpread?: number; authors?: number } = {}): Generator {
  return new Generator(new Random(SEED), { now: NOW, ...options });
}

describe('parseFilter', () => {
  it('has every field, null where nothing is asked', () => {
    expect(parsed({})).toEqual(NO_CONDITION);
    const given = {
      ids: [HEX],
      authors: [HEX2],
      kinds: [1],
      '#t': ['x'],
      since: 1,
      until: 2,
      limit: 3,
    };
    expect(parsed(given)).toEqual({
      ids: [HEX],
      authors: [HEX2],
      kinds: [1],
      tags: [{ letter: 't', values: ['x'] }],
      since: 1,
      until: 2,
      limit: 3,
      matchesNothing: false,
    });
  });

  it.each(INVALID_FILTERS.map((sample) => [sample.filter, sample.prefix] as const))(
    'refuses %j as %s',
    (filter, prefix) => {
      expect(parseFilter(filter, LIMITS)).toMatch(new RegExp(`^${prefix}: \\S`));
    },
  );

  it('names the key it does not know', () => {
    expect(parseFilter({ kinds: [1], search: 'x' }, LIMITS)).toBe(
      'unsupported: filter contains unknown elements: "search"',
    );
    const long = String(parseFilter({ [`_${'x'.repeat(9999)}`]: 1 }, LIMITS));
    expect(long).toMatch(/^unsupported: /);
    expect(long.length).toBeLessThan(100);
    expect(parseFilter(JSON.parse('{"__proto__":[]}'), LIMITS)).toMatch(/^unsupported: /);
  });
});

describe('parseFilter: lists and tags', () => {
  it('takes every letter as a tag, e and p alone as hex', () => {
    for (const letter of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ') {
      const hex = letter === 'e' || letter === 'p';
      expect(parsed({ [`#${letter}`]: [HEX] }).tags).toEqual([{ letter, values: [HEX] }]);
      expect(typeof parseFilter({ [`#${letter}`]: ['x'] }, LIMITS)).toBe(hex ? 'string' : 'object');
    }
    const odd = ['', ' ', '\u0000', '日本', '\u{1f600}'];
    expect(parsed({ '#t': odd }).tags[0]?.values).toEqual(odd);
  });

  it('finds the one that is no id among many', () => {
    const many = { ...LIMITS, filterValuesMax: 3000 };
    const ids = Array.from({ length: 3000 }, (_, n) => n.toString(16).padStart(64, '0'));
    const wrong = [
      HEX.toUpperCase(),
      `${HEX.slice(1)}G`,
      // Characters with a hex digit as their lower byte, and a lone surrogate.
      `${HEX.slice(1)}\u0130`,
      `${HEX.slice(1)}\u0161`,
      `${HEX.slice(1)}\ud800`,
      HEX.slice(1),
      `${HEX}0`,
      7,
      null,
    ];
    for (const count of [1, 7, 8, 300, 1024, 1025, 3000]) {
      const good = ids.slice(0, count);
      expect(parseFilter({ authors: [...good] }, many)).toMatchObject({ authors: good });
      for (const value of wrong) {
        for (const at of [0, count >> 1, count - 1]) {
          const bad: unknown[] = good.with(at, value as string);
          expect(parseFilter({ authors: bad }, many)).toMatch(/^invalid: filter authors/);
        }
      }
    }
    const shifted = [...ids.slice(0, 10), HEX.slice(1), `${HEX}0`];
    expect(parseFilter({ ids: shifted }, LIMITS)).toMatch(/^invalid: filter ids/);
  });

  it('matches nothing for an empty list, and still reads the rest', () => {
    for (const key of ['ids', 'authors', 'kinds', '#t', '#e']) {
      expect(parsed({ [key]: [], limit: 1 })).toMatchObject({ matchesNothing: true, limit: 1 });
      expect(parseFilter({ [key]: [], since: 'x' }, LIMITS)).toMatch(/^invalid: /);
    }
  });
});

describe('parseFilter: time, limit and bounds', () => {
  it('clamps the time range without letting anything excluded pass', () => {
    expect(parsed({ since: -5 })).toEqual({ ...NO_CONDITION, since: 0 });
    expect(parsed({ until: 1e300 })).toEqual({ ...NO_CONDITION, until: TIME_MAX });
    expect(parsed({ since: -1e300, until: 2 ** 53 })).toEqual({
      ...NO_CONDITION,
      since: 0,
      until: TIME_MAX,
    });
    expect(parsed({ until: -1 })).toEqual({ ...NO_CONDITION, until: 0, matchesNothing: true });
    expect(parsed({ since: 2 ** 53 })).toEqual({
      ...NO_CONDITION,
      since: TIME_MAX,
      matchesNothing: true,
    });
    const minus = parsed({ since: -0, until: -0, limit: -0, kinds: [-0] });
    for (const value of [minus.since, minus.until, minus.limit, minus.kinds?.[0]]) {
      expect(Object.is(value, 0)).toBe(true);
    }
  });

  it('matches nothing when since is after until, and that is no error', () => {
    expect(parsed({ since: 6, until: 5 }).matchesNothing).toBe(true);
    expect(parsed({ since: 5, until: 5 }).matchesNothing).toBe(false);
  });

  it('keeps limit as asked, 0 too, leaves an absent one open', () => {
    const limits = [0, 1, 100, 1e300];
    expect(limits.map((limit) => parsed({ limit }).limit)).toEqual(limits);
    expect(parsed({ limit: 0 }).matchesNothing).toBe(false);
    expect(parsed({}).limit).toBeNull();
  });

  it('drops repeated values and keeps the order', () => {
    expect(
      parsed({ kinds: [7, 1, 7, 0, 1], '#t': ['b', 'a', 'b'], ids: [HEX2, HEX, HEX2] }),
    ).toEqual({
      ...NO_CONDITION,
      kinds: [7, 1, 0],
      tags: [{ letter: 't', values: ['b', 'a'] }],
      ids: [HEX2, HEX],
    });
  });

  it('bounds the values of all lists together', () => {
    const given = { kinds: [1, 2], authors: [HEX], '#t': ['x', 'y'] };
    expect(typeof parseFilter(given, { ...LIMITS, filterValuesMax: 5 })).toBe('object');
    expect(parseFilter(given, { ...LIMITS, filterValuesMax: 4 })).toMatch(/^error: .*limit is 4$/);
  });

  it('bounds the tag conditions', () => {
    const given = { '#t': ['x'], '#T': ['x'], '#e': [HEX] };
    expect(parsed(given).tags.map((tag) => tag.letter)).toEqual(['t', 'T', 'e']);
    expect(parseFilter({ ...given, '#x': [] }, LIMITS)).toMatch(/^error: .*limit is 3$/);
  });
});

describe('parseFilter: any input', () => {
  it('does not throw, whatever JSON it gets', () => {
    const keys = fc.constantFrom(
      'ids',
      'authors',
      'kinds',
      '#e',
      '#t',
      'since',
      'until',
      'limit',
      '#',
    );
    const values = fc.oneof(fc.jsonValue(), fc.array(fc.constantFrom(1, 'x', HEX)), fc.integer());
    let passed = 0;
    fc.assert(
      fc.property(
        fc.oneof(fc.dictionary(keys, values, { maxKeys: 3 }), fc.jsonValue()),
        (value) => {
          const filter = parseFilter(value, LIMITS);
          if (typeof filter === 'string')
            expect(filter).toMatch(/^(invalid|unsupported|error): \S/);
          else passed++;
        },
      ),
      { seed: SEED | 0, numRuns: 3000 },
    );
    expect(passed).toBeGreaterThan(0);
  });

  it('refuses what the generator says is invalid', () => {
    const source = generator();
    for (let i = 0; i < 30; i++) source.event();
    for (let i = 0; i < 1000; i++) {
      const { filter, prefix } = source.invalidFilter();
      expect(parseFilter(filter, { ...LIMITS, filterTagsMax: 9 })).toMatch(
        new RegExp(`^${prefix}: `),
      );
    }
  });
});

describe('matching', () => {
  const evaluate = (filter: RawFilter, draft: Draft = {}) => {
    const event = generator().event({ kind: 1, created_at: 100, tags: [], ...draft });
    const found = compileFilter(parsed(filter))(event);
    expect(matches(filter, event)).toBe(found);
    return found;
  };

  it('has since and until inclusive', () => {
    expect(evaluate({ since: 100, until: 100 })).toBe(true);
    expect(evaluate({ since: 101 })).toBe(false);
    expect(evaluate({ until: 99 })).toBe(false);
    expect(evaluate({ since: 101, until: 99 })).toBe(false);
    expect(evaluate({ until: -1 }, { created_at: 0 })).toBe(false);
    expect(evaluate({ until: -0 }, { created_at: 0 })).toBe(true);
    expect(evaluate({ since: 2 ** 53 }, { created_at: TIME_MAX })).toBe(false);
  });

  it('asks all conditions, any value of each', () => {
    const tags = [
      ['t', 'a'],
      ['t', 'b'],
      ['x', 'c'],
    ];
    expect(evaluate({ kinds: [2, 1], '#t': ['b', 'z'], '#x': ['c'] }, { tags })).toBe(true);
    expect(evaluate({ kinds: [2], '#t': ['b'], '#x': ['c'] }, { tags })).toBe(false);
    expect(evaluate({ kinds: [1], '#t': ['b'], '#x': ['z'] }, { tags })).toBe(false);
    expect(evaluate({ '#x': ['a'] }, { tags })).toBe(false);
  });

  it('compares tags exactly: letter case, first value, no prefix', () => {
    expect(evaluate({ '#t': ['x'] }, { tags: [['T', 'x']] })).toBe(false);
    expect(evaluate({ '#T': ['x'] }, { tags: [['T', 'x']] })).toBe(true);
    expect(evaluate({ '#t': ['y'] }, { tags: [['t', 'x', 'y']] })).toBe(false);
    expect(evaluate({ '#t': ['x'] }, { tags: [['t', 'xy']] })).toBe(false);
    expect(evaluate({ '#t': ['xy'] }, { tags: [['t', 'x']] })).toBe(false);
    expect(evaluate({ '#t': [''] }, { tags: [['t'], []] })).toBe(false);
    expect(evaluate({ '#t': [''] }, { tags: [['t', '']] })).toBe(true);
    expect(evaluate({ '#t': ['undefined'] }, { tags: [['t']] })).toBe(false);
  });

  it('matches everything for {}, also with limit 0, and nothing for an empty list', () => {
    expect(evaluate({})).toBe(true);
    expect(evaluate({ limit: 0 })).toBe(true);
    expect(evaluate({ ids: [] })).toBe(false);
    expect(evaluate({ '#t': [], kinds: [1] })).toBe(false);
  });
});

describe('matching: against the naive oracle', () => {
  it('agrees with the naive oracle', () => {
    const source = generator();
    const events = Array.from({ length: 400 }, () => source.event());
    let hits = 0;
    for (let i = 0; i < 400; i++) {
      const raw = source.filter();
      const filter = parsed(raw);
      const matcher = compileFilter(filter);
      for (const event of events) {
        const expected = matches(raw, event);
        if (expected) hits++;
        if (matcher(event) !== expected) {
          expect.fail(`${JSON.stringify(raw)} on ${JSON.stringify(event)} should be ${expected}`);
        }
      }
    }
    expect(hits).toBeGreaterThan(400);
  });

  it('agrees for long lists too', () => {
    const source = generator({ authors: 60 });
    const events = Array.from({ length: 300 }, () => source.event());
    for (let length = 0; length < 60; length++) {
      const raw: RawFilter = {
        authors: source.authors.slice(0, length),
        kinds: Array.from({ length: length * 20 }, (_, kind) => kind),
        '#p': source.authors.slice(length),
      };
      const filter = parsed(raw, { filterValuesMax: 5000 });
      const found = events.filter((event) => matches(raw, event));
      expect(events.filter(compileFilter(filter))).toEqual(found);
    }
  });
});

describe('indexedTags', () => {
  it('finds each letter and value once, in order', () => {
    const tags = [
      ...[
        ['t', 'a', 'x'],
        ['t', 'b'],
        ['t', 'a', 'y'],
        ['T', 'a'],
        ['t'],
        [],
        ['', 'a'],
        ['tt', 'a'],
      ],
      ...[['1', 'a'], ['-'], ['-', 'a'], ['é', 'a'], ['t', ''], ['e', HEX], ['e', 'x'], ['p', HEX]],
    ];
    expect(indexedTags({ tags })).toEqual([
      ...[
        ['t', 'a', 'x'],
        ['t', 'b'],
        ['T', 'a'],
        ['t', ''],
        ['e', HEX],
        ['p', HEX],
      ],
    ]);
  });

  it('is what filters can ask for, however many there are', () => {
    const source = generator();
    for (let i = 0; i < 1000; i++) {
      const event = source.event();
      const askable = new Set(
        event.tags
          .filter(([name, value]) => /^[a-zA-Z]$/.test(name ?? '') && value !== undefined)
          .filter(([name, value]) => !/^[ep]$/.test(name!) || value!.length === 64)
          .map(([name, value]) => `${name}${value}`),
      );
      expect(indexedTags(event).map(([letter, value]) => letter + value)).toEqual([...askable]);
    }
  });
});

// The oracle checks the engine; the scenarios from here on check the oracle.
const source = generator();
const start = () => new Oracle({ limitDefault: 500, limitMax: 500 });
const make = (kind: number, created_at: number, tags: string[][] = [], author = 0) =>
  source.event({ kind, created_at, tags, author });
/** Publishes in order and returns the reasons. */
const run = (relay: Oracle, events: NostrEvent[], now = NOW) =>
  events.map((event) => relay.publish(event, now).reason);
const [own, foreign] = source.authors as [string, string];

describe('oracle', () => {
  it('stores, knows duplicates, forgets ephemerals', () => {
    const relay = start();
    const [note, signal] = [make(1, 5), make(20_000, 5)];
    expect(relay.publish(note, NOW)).toEqual({ ok: true, prefix: '', reason: 'stored' });
    expect(relay.publish(note, NOW)).toEqual({
      ok: true,
      prefix: 'duplicate',
      reason: 'duplicate',
    });
    expect(relay.publish(signal, NOW)).toEqual({ ok: true, prefix: '', reason: 'ephemeral' });
    expect(relay.publish(signal, NOW).reason).toBe('duplicate');
    relay.restart();
    expect(run(relay, [signal, note])).toEqual(['ephemeral', 'duplicate']);
    expect(relay.query([{}], NOW)).toEqual([note]);
  });

  it('keeps the newest version, the lowest id in a second', () => {
    for (const [kind, tags] of [
      [0, [['d', 'x']]],
      [10_000, []],
      [30_000, [['d', 'x']]],
    ] as const) {
      const relay = start();
      const mutable = tags.map((tag) => [...tag]);
      const versions = [7, 6, 6, 6].map((time, n) => make(kind, time, [...mutable, ['n', `${n}`]]));
      const [newest, ...equals] = versions as [NostrEvent, ...NostrEvent[]];
      equals.sort((a, b) => (a.id < b.id ? -1 : 1));
      const [low, middle, high] = equals as [NostrEvent, NostrEvent, NostrEvent];
      expect(run(relay, [middle, high, low, middle])).toEqual([
        'stored',
        'older',
        'stored',
        'older',
      ]);
      expect(relay.query([{}], NOW)).toEqual([low]);
      expect(run(relay, [newest, low])).toEqual(['stored', 'older']);
      expect(run(relay, [make(kind, 1, mutable, 1), make(1, 1, mutable)])).toEqual([
        'stored',
        'stored',
      ]);
      expect(relay.query([{ kinds: [kind], authors: [own] }], NOW)).toEqual([newest]);
    }
  });

  it('reads the first d tag, missing and valueless alike', () => {
    const relay = start();
    const d = (...tags: string[][]) => make(30_000, relay.all(NOW).length + 50, tags);
    run(relay, [d(), d(['d']), d(['d', '']), d(['d', ''], ['d', 'x']), d(['d'], ['d', 'x'])]);
    expect(relay.all(NOW)).toHaveLength(1);
    run(relay, [d(['d', 'x'], ['d', 'y']), d(['d', 'y'])]);
    expect(relay.all(NOW)).toHaveLength(3);
  });
});

describe('oracle: deletion', () => {
  it('deletes by e tag: own events only, before and after, not deletions', () => {
    const relay = start();
    const [mine, late, other] = [make(1, 5), make(1, 6), make(1, 5, [], 1)];
    const ids = [mine, late, other].map((event) => ['e', event.id]);
    const deletion = make(5, 4, ids);
    expect(run(relay, [mine, other, deletion])).toEqual(['stored', 'stored', 'stored']);
    expect(relay.all(NOW)).toEqual([other, deletion]);
    expect(run(relay, [mine, late, other])).toEqual(['deleted', 'deleted', 'duplicate']);
    expect(relay.publish(mine, NOW)).toEqual({ ok: false, prefix: 'blocked', reason: 'deleted' });
    const again = make(5, 9, [['e', deletion.id]]);
    expect(run(relay, [again, mine, deletion])).toEqual(['stored', 'deleted', 'duplicate']);
  });

  it('deletes by a tag: versions up to its time, exactly that address', () => {
    const relay = start();
    const at = (time: number, d: string, author = 0) => make(30_000, time, [['d', d]], author);
    const deletion = make(5, 10, [
      ['a', `30000:${own}:a:b`],
      ['a', `30000:${foreign}:x`],
      ['a', `10000:${own}:`],
    ]);
    expect(run(relay, [at(5, 'a:b'), at(5, 'a'), at(5, 'x', 1), make(10_000, 5)])).toHaveLength(4);
    run(relay, [deletion]);
    const left = relay.all(NOW).filter((event) => event !== deletion);
    expect(left.map((event) => event.tags[0]?.[1]).sort()).toEqual(['a', 'x']);
    expect(run(relay, [at(10, 'a:b'), at(11, 'a:b'), make(10_000, 10), make(10_000, 11)])).toEqual([
      ...['deleted', 'stored', 'deleted', 'stored'],
    ]);
    expect(run(relay, [make(1, 5), at(4, 'x', 1), at(6, 'x', 1)])).toEqual([
      'stored',
      'older',
      'stored',
    ]);
  });

  it('lets the recipient of a gift wrap delete it, and nobody else', () => {
    for (const kind of [1059, 21_059]) {
      const relay = start();
      const wrap = make(kind, 5, [['p', foreign]], 2);
      const stranger = make(5, 6, [['e', wrap.id]], 3);
      const recipient = make(5, 6, [['e', wrap.id]], 1);
      expect(run(relay, [wrap, stranger, wrap]).at(-1)).toBe('duplicate');
      expect(run(relay, [recipient, wrap])).toEqual(['stored', 'deleted']);
      const note = make(1, 5, [['p', foreign]], 2);
      expect(run(relay, [make(5, 6, [['e', note.id]], 1), note])).toEqual(['stored', 'stored']);
    }
  });
});

describe('oracle: queries and expiry', () => {
  it('hides what has expired and refuses it on arrival', () => {
    const relay = start();
    const brief = make(1, 5, [['expiration', '100']]);
    expect(relay.publish(brief, 99).reason).toBe('stored');
    expect(relay.count([{}], 99)).toBe(1);
    expect(relay.count([{}], 100)).toBe(0);
    expect(relay.publish(brief, 100)).toEqual({ ok: false, prefix: 'invalid', reason: 'expired' });
    const signal = make(20_000, 5, [['expiration', '1']]);
    expect(relay.publish(signal, 100).reason).toBe('ephemeral');
  });

  it('sorts and limits each filter, then the union', () => {
    const relay = start();
    const events = [1, 2, 3, 3, 4].map((time, n) => make(n % 2, time, [['n', `${n}`]], n % 3));
    const notes = events.filter((event) => event.kind === 1);
    run(relay, events);
    const times = (...filters: RawFilter[]) =>
      relay.query(filters, NOW).map((event) => event.created_at);
    expect(times({})).toEqual([4, 3, 3, 2, 1]);
    expect(times({ limit: 3 })).toEqual([4, 3, 3]);
    expect(times({ limit: 0 })).toEqual([]);
    expect(times({ until: 1 }, { limit: 1 }, { since: 2, until: 2 })).toEqual([4, 2, 1]);
    expect(times({ limit: 1 }, { kinds: [1], limit: 1 }, { until: 1 })).toEqual([4, 3, 1]);
    expect(times({ kinds: [1] }, { kinds: [1], limit: 1 })).toEqual(
      notes.map((event) => event.created_at).reverse(),
    );
    const tie = relay.query([{ since: 3, until: 3 }], NOW).map((event) => event.id);
    expect(tie).toEqual([...tie].sort());
    expect(relay.count([{ limit: 1 }, { kinds: [1] }], NOW)).toBe(5);
    const small = new Oracle({ limitDefault: 2, limitMax: 3 });
    run(small, events);
    const sizes = (...filters: RawFilter[]) =>
      filters.map((filter) => small.query([filter], NOW).length);
    // The default limit would split second 3, so that second comes whole; a client's may split it.
    expect(sizes({}, { limit: 2 }, { limit: 9 }, { limit: 3 })).toEqual([3, 2, 3, 3]);
    expect(sizes({ until: 3 }, { since: 3, until: 3, limit: 9 })).toEqual([2, 2]);
    // At most twice the cap, and never more than the limit of the client.
    const tiny = new Oracle({ limitDefault: 1, limitMax: 1 });
    const crowd = [1, 2, 2, 2].map((time, n) => make(n % 2, time, [['n', `${n}`]], 1));
    run(tiny, [...events.slice(0, 1), ...crowd]);
    const shares = (...filters: RawFilter[]) =>
      filters.map((filter) => tiny.query([filter], NOW).length);
    expect(shares({}, { limit: 2 }, { limit: 9 }, { until: 1 })).toEqual([1, 2, 1, 1]);
  });

  it('lives through everything the generator makes', () => {
    const relay = start();
    const everything = generator();
    const seen = new Map<string, number>();
    for (let i = 0; i < 3000; i++) {
      const { reason } = relay.publish(everything.next(), NOW + Math.floor(i / 300));
      seen.set(reason, (seen.get(reason) ?? 0) + 1);
    }
    for (const reason of ['stored', 'ephemeral', 'duplicate', 'older', 'deleted', 'expired']) {
      expect(seen.get(reason), reason).toBeGreaterThan(5);
    }
  });
});
