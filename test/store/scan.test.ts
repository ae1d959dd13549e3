// Tests of query scans on real database files, with writer and reader interleaved on one thread,
// and answers compared with the oracle.

import { describe, expect, it } from 'vitest';
import { AccessLists } from '../../src/access/lists.ts';
import {
  packFilters,
  type UnpackedFilter,
  unpackFilters,
} from '../../src/channel/packed-filters.ts';
import { RecordReader, RecordWriter } from '../../src/channel/records.ts';
import { Removals } from '../../src/channel/removals.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { CheckedEvent, writeCheckedEvent } from '../../src/messages/ingester-writer.ts';
import { canonicalJson } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { parseFilter } from '../../src/protocol/filter.ts';
import { isEphemeral } from '../../src/protocol/kinds.ts';
import { PrivateKinds } from '../../src/protocol/privacy.ts';
import { BodyMaker } from '../../src/store/body/body.ts';
import { type Db, openReader, openWriter, termKey } from '../../src/store/database/open.ts';
import { validatedEvent } from '../../src/store/event.ts';
import { postingKind } from '../../src/store/index/posting-kind.ts';
import { ID_TERMS, TermHasher } from '../../src/store/index/terms.ts';
import { AGAIN, ALL, type Budget, FilterScan, shareOf } from '../../src/store/read/scan.ts';
import { Snapshot } from '../../src/store/read/snapshot.ts';
import { TailIndex } from '../../src/store/read/tail-index.ts';
import { Tally } from '../../src/store/read/tally.ts';
import { Union } from '../../src/store/read/union.ts';
import { EventLog } from '../../src/store/write/event-log.ts';
import { Postings } from '../../src/store/write/postings.ts';
import { EventRules } from '../../src/store/write/rules.ts';
import { Vanish } from '../../src/store/write/vanish.ts';
import { TEST_MILLISECONDS } from '../support/ceiling.ts';
import { Generator } from '../support/generator.ts';
import { Oracle, type RawFilter } from '../support/oracle.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory, testConfig } from '../support/relay.ts';

const SEED = testSeed('store/scan');
const ROUNDS = Number(process.env.WOK_TEST_ROUNDS ?? 1);
const START = 1_750_000_000;
const LIMITS = { limitDefault: 9, limitMax: 11 };
const REGULAR_KINDS = [1, 7, 1000];

/** Hasher with 40 different terms only, so that all lists hold many events that do not match. */
class WeakHasher extends TermHasher {
  override id(id: string): number {
    return weak(super.id(id));
  }
  override author(pubkey: string): number {
    return weak(super.author(pubkey));
  }
  override kind(kind: number): number {
    return weak(super.kind(kind));
  }
  override authorKind(pubkey: string, kind: number): number {
    return weak(super.authorKind(pubkey, kind));
  }
  override address(kind: number, pubkey: string, d: string): number {
    return weak(super.address(kind, pubkey, d));
  }
  override tag(letter: string, value: string): number {
    return weak(super.tag(letter, value));
  }
}

function weak(term: number): number {
  return ID_TERMS.first + (Math.abs(term) % 40);
}

/** Makers of the two forms of a body, JSON and packed, used in turn. */
const BODIES = [new BodyMaker(false), new BodyMaker(true)];

/** Store that is written and read on this thread, so that all steps of both can be interleaved. */
class Store {
  readonly random: Random;
  readonly generator: Generator;
  readonly oracle = new Oracle(LIMITS);
  now = START;
  readonly #writer: Db;
  readonly #reader: Db;
  readonly #hasher: TermHasher;
  readonly #log: EventLog;
  readonly #rules: EventRules;
  readonly #postings: Postings;
  #window!: TailIndex;
  #snapshot!: Snapshot;
  #waiting: { seq: number; event: CheckedEvent }[] = [];
  readonly #removals = new Removals(new SharedArrayBuffer(4));
  /** Seqs of removed events that the query worker has not been told. */
  #removed: number[] = [];

  constructor(random: Random, Hasher: typeof TermHasher) {
    const { storage } = testConfig(freshDirectory(), { 'storage.synchronous': 'normal' });
    const clock: Clock = { seconds: () => this.now, milliseconds: () => this.now * 1000 };
    this.random = random;
    this.generator = new Generator(random, { now: START });
    this.#writer = openWriter(storage);
    this.#hasher = new Hasher(termKey(this.#writer));
    this.#log = new EventLog(this.#writer, this.#hasher);
    const vanish = new Vanish(this.#writer, this.#log, this.#hasher, clock);
    this.#rules = new EventRules(
      this.#writer,
      this.#log,
      this.#hasher,
      clock,
      new AccessLists(),
      vanish,
    );
    this.#postings = new Postings(this.#writer, this.#log);
    this.#reader = openReader(storage);
    this.startWorker();
  }

  /** Starts the state of a new query worker. */
  startWorker(): void {
    this.#window = new TailIndex(40);
    this.#snapshot = new Snapshot(this.#reader, this.#hasher, this.#window, () => this.now, {
      removals: this.#removals,
      cacheBytes: this.random.pick([0, 30_000, 1_000_000, 1_000_000]),
    });
    this.#snapshot.load();
    this.#removed = [];
    this.#snapshot.forget(Float64Array.of(), this.#removals.count);
    this.#waiting = [];
  }

  /** Returns the body of an event as the query worker would send it. */
  json(seq: number): string {
    return this.#snapshot.body(seq)!.bytes.toString();
  }

  close(): void {
    this.#reader.close();
    this.#writer.close();
  }

  /** Runs one commit of the writer; expects the answers of the oracle. */
  write(events: readonly NostrEvent[], index: boolean): void {
    this.#writer.transaction(() => {
      for (const event of events) this.#apply(event);
      if (index) this.#postings.index();
      this.#removals.add(this.#log.removed.length);
    })();
    this.#removed.push(...this.#log.removed.splice(0).map(({ seq }) => seq));
    // The query worker is told of a commit soon, late or never.
    if (this.random.chance(0.3)) this.#hear();
    else if (this.random.chance(0.5)) this.#waiting = [];
  }

  #apply(event: NostrEvent): void {
    const expected = this.oracle.publish(event, this.now);
    // The ingester handles these before they reach the writer.
    if (expected.reason === 'expired' || isEphemeral(event.kind)) return;
    const checked = this.#checked(event);
    const outcome = this.#rules.apply(checked);
    const prefix = outcome.t === 'stored' ? '' : outcome.message.split(':')[0];
    expect([outcome.t !== 'refused', prefix]).toEqual([expected.ok, expected.prefix]);
    if (outcome.t === 'stored') this.#waiting.push({ seq: outcome.seq, event: checked });
  }

  #hear(): void {
    this.#snapshot.forget(Float64Array.from(this.#removed.splice(0)), this.#removals.count);
    this.#window.advance(this.#log.indexedSeq);
    for (const { seq, event } of this.#waiting) {
      const { createdAt, terms, pubkeyBytes: pubkey } = event;
      const kind = postingKind(event.kind, event.expiresAt);
      this.#window.add({
        seq,
        createdAt,
        kind,
        pubkey,
        terms,
      });
    }
    this.#waiting = [];
  }

  #checked(event: NostrEvent): CheckedEvent {
    const json = Buffer.from(canonicalJson(event));
    const validated = validatedEvent(event, json, this.#hasher.ofEvent(event));
    const records = new RecordWriter();
    writeCheckedEvent(records, 1, validated, BODIES[event.created_at % 2]!.make(json));
    return new CheckedEvent(new RecordReader(records.take()));
  }

  /** Runs work inside a read snapshot, as a slice of a query worker does. */
  slice<T>(work: (snapshot: Snapshot) => T): T {
    this.#snapshot.enter();
    try {
      return work(this.#snapshot);
    } finally {
      this.#snapshot.leave();
    }
  }

  /** Returns the reader of a REQ or a COUNT, assembled as their runs do. */
  reader(raw: readonly RawFilter[], counting: boolean): Union | Tally {
    const filters = raw.map(parsed).filter((filter) => !filter.matchesNothing);
    const scans = filters.map((filter) => {
      return new FilterScan(filter, this.#snapshot, this.#hasher, {
        share: counting ? ALL : shareOf(filter.limit, LIMITS.limitDefault, LIMITS.limitMax),
        filters: this.random.pick([filters.length, 1_000, 50_000]),
        bodies: !counting,
        audience: { privateKinds: NOTHING_PRIVATE, readers: [], before: null },
        upTo: Number.MAX_SAFE_INTEGER,
      });
    });
    return counting ? new Tally(scans) : new Union(scans);
  }
}

const NOTHING_PRIVATE = new PrivateKinds([]);

/** Query in progress, and the answer expected at its end. */
interface Query {
  filters: RawFilter[];
  reader: Union | Tally;
  found: { id: string; json: string }[];
  expected: NostrEvent[];
  total: number;
}

function begin(
  store: Store,
  filters: RawFilter[] = store.generator.filters(),
  counting = store.random.chance(0.2),
): Query {
  const { now, oracle } = store;
  return {
    filters,
    reader: store.slice(() => store.reader(filters, counting)),
    found: [],
    expected: oracle.query(filters, now),
    total: oracle.count(filters, now),
  };
}

/** Continues a query within a random budget; returns true at its end. */
function goOn(store: Store, query: Query): boolean {
  const budget: Budget = { rows: store.random.below(store.random.chance(0.3) ? 5 : 200) };
  const { reader } = query;
  return store.slice(() => {
    if (reader instanceof Tally) return reader.next(budget) === null;
    for (;;) {
      const second = reader.next(budget);
      if (second === AGAIN) return false;
      if (second === null) return true;
      for (const { id, seq } of second) query.found.push({ id, json: store.json(seq) });
    }
  });
}

function evaluate({ filters, reader, found, expected, total }: Query): void {
  const asked = JSON.stringify(filters);
  if (reader instanceof Tally) {
    expect(reader.count, asked).toBe(total);
    return;
  }
  expect(
    found.map(({ id }) => id),
    asked,
  ).toEqual(expected.map(({ id }) => id));
  expect(found.map(({ json }) => json)).toEqual(expected.map(canonicalJson));
  if (reader.completeness === 'finish') expect(found.length, asked).toBe(total);
  if (reader.completeness === 'more') expect(found.length, asked).toBeLessThan(total);
}

describe.each([
  ['terms as they are', TermHasher],
  ['terms that nearly always collide', WeakHasher],
])('a scan, with %s', (_, Hasher) => {
  it('gives what was there when it began, however it is cut into slices', {
    timeout: ROUNDS * TEST_MILLISECONDS,
  }, () => {
    for (let round = 0; round < ROUNDS; round++) {
      const store = new Store(new Random(SEED + round), Hasher);
      const { random, generator } = store;
      for (let turn = 0; turn < 50; turn++) {
        // Between queries there may be any commits.
        for (let commits = random.below(4); commits > 0; commits--) {
          const events = Array.from({ length: random.below(20) }, () => generator.next());
          store.write(events, random.chance(0.3));
          store.now += random.below(2);
        }
        if (random.chance(0.1)) store.startWorker();
        let queries = Array.from({ length: 6 }, () => begin(store));
        while (queries.length > 0) {
          queries = queries.filter((query) => {
            if (!goOn(store, query)) return true;
            evaluate(query);
            return false;
          });
          // While queries run, commits add only events that they must not see, and grow the index.
          if (random.chance(0.7)) continue;
          const news = Array.from({ length: random.below(3) }, () =>
            generator.event({ kind: random.pick(REGULAR_KINDS), tags: [['t', 'nostr']] }),
          );
          store.write(news, random.chance(0.3));
        }
      }
      store.close();
    }
  });
});

it('gives a crowded second in the order of its ids, and what is removed of it no more', () => {
  const store = new Store(new Random(SEED), TermHasher);
  const { random, generator } = store;
  const crowd = Array.from({ length: 3_000 }, () =>
    generator.event({
      kind: random.pick(REGULAR_KINDS),
      created_at: START,
      tags: [['t', 'nostr']],
    }),
  );
  const around = Array.from({ length: 60 }, () =>
    generator.event({ kind: 1, created_at: START - 5 + random.below(10), tags: [] }),
  );
  const [early, late] = [crowd.slice(0, 2_000), crowd.slice(2_000)];
  store.write([...early, ...around], true);
  store.write(late, false);
  const ask = () => {
    for (const limit of [1, 3, 9, 11, 40]) {
      for (const filter of [{}, { kinds: [7] }, { '#t': ['nostr'] }, { until: START }]) {
        const queries = [begin(store, [{ ...filter, limit }]), begin(store, [{ ...filter }], true)];
        for (const query of queries) while (!goOn(store, query));
        for (const query of queries) evaluate(query);
      }
    }
  };
  ask();
  const [first] = store.oracle.query([{ until: START, limit: 1 }], START);
  const deletion = generator.event({
    kind: 5,
    author: generator.authors.indexOf(first!.pubkey),
    created_at: START + 1,
    tags: [['e', first!.id]],
  });
  store.write([deletion], true);
  ask();
  store.close();
});

function parsed(raw: RawFilter): UnpackedFilter {
  const filter = parseFilter(raw, { filterValuesMax: 10_000, filterTagsMax: 10 });
  if (typeof filter === 'string') throw new Error(filter);
  return unpackFilters(packFilters([filter]))[0]!;
}
