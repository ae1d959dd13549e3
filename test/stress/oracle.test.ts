// Random trials: a relay and the naive oracle get the same events, queries, subscriptions and
// authentications, and all answers are compared. In-process relay over real sockets;
// WOK_TEST_ROUNDS sets the number of rounds.

import { describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { TEST_MILLISECONDS } from '../support/ceiling.ts';
import { Client, type Message } from '../support/client.ts';
import { Generator } from '../support/generator.ts';
import { matches, mayRead, Oracle, type RawFilter, refusalOf } from '../support/oracle.ts';
import { inTime, type Within } from '../support/pace.ts';
import { until } from '../support/process.ts';
import { Random, testSeed } from '../support/random.ts';
import {
  ANY_TIME,
  freshDirectory,
  type Settings,
  startRelay,
  type TestRelay,
} from '../support/relay.ts';
import { Syncing } from '../support/syncing.ts';
import { type Wave, Waves } from '../support/waves.ts';

const SEED = testSeed('stress/oracle');
const ROUNDS = Number(process.env.WOK_TEST_ROUNDS ?? 1);
const CONNECTIONS = 4;
const WAVES = 5;
const WAVE_EVENTS = 40;
const QUERIES = 80;
/** Number of queries in flight at the same time. */
const QUERIES_AT_ONCE = 20;
const SUBSCRIPTIONS = 30;
/**
 * Kind that no generator makes by itself: its event tells a subscription that nothing more will
 * come.
 */
const LAST_KIND = 20_002;
/** Kind of direct messages, which only their authors and receivers may read (NIP-04). */
const PRIVATE_KIND = 4;
/** Time at which the events are dated, in seconds, so that a seed always makes the same ones. */
const WRITTEN = 1_750_000_000;
const NEVER = 4_000_000_000;
/** Seconds after the start at which events expire, where they do so during the test. */
const EXPIRY_SECONDS = 5;
/** Longest time of a wave or of some queries on a machine that is not busy, in seconds. */
const CALM_SECONDS = 3;

interface Setup {
  name: string;
  settings: Settings;
  /** Settings with which the relay is started again, half-way. */
  later: Settings;
  /** True if the writer's thread is killed, so that the log's tail is not indexed at the end. */
  crash?: boolean;
  /** True if some events expire half-way. */
  expiry?: boolean;
}

const SETUPS: readonly Setup[] = [
  {
    name: 'an index that follows every event, small caps',
    settings: {
      'query.threads': 'own',
      'storage.index_batch_events': 1,
      'limits.limit_max': 20,
      'limits.limit_default': 20,
    },
    later: {
      'query.threads': 'shared',
      'storage.index_batch_events': 3,
      'limits.limit_default': 10,
    },
  },
  {
    name: 'an index some events behind, short slices',
    settings: {
      'query.threads': 'shared',
      'storage.index_batch_events': 7,
      'query.timeline_events': 40,
      'storage.index_delay_milliseconds': 5,
      'query.slice_milliseconds': 1,
      'limits.limit_max': 20,
      'limits.limit_default': 10,
    },
    later: {
      'query.threads': 'own',
      'storage.index_batch_events': 50,
      'query.slice_milliseconds': 1,
      'query.timeline_events': 60,
      'query.workers': 2,
      'limits.limit_default': 5,
      'limits.limit_max': 7,
    },
  },
  {
    name: 'everything in the window, a crash, an expiry without a purge',
    settings: {
      'storage.index_batch_events': 1_000_000,
      'storage.index_delay_milliseconds': 600_000,
      'writer.expired_purge_seconds': 86_400,
      'query.slice_milliseconds': 1,
    },
    later: {
      'storage.index_batch_events': 1_000_000,
      'storage.index_delay_milliseconds': 600_000,
      'writer.expired_purge_seconds': 86_400,
      'limits.limit_default': 10,
      'limits.limit_max': 20,
    },
    crash: true,
    expiry: true,
  },
  {
    name: 'two workers of each, small batches, an expiry with a purge',
    settings: {
      'query.threads': 'shared',
      'ingester.workers': 2,
      'query.workers': 2,
      'writer.batch_events_max': 3,
      'writer.expired_purge_seconds': 1,
      'storage.index_batch_events': 60,
      'limits.limit_max': 20,
      'limits.limit_default': 10,
    },
    later: {
      'query.threads': 'own',
      'ingester.workers': 2,
      'query.workers': 3,
      'writer.expired_purge_seconds': 1,
      'storage.index_delay_milliseconds': 20,
      'limits.limit_default': 13,
    },
    expiry: true,
  },
];

/** Relay and oracle, given the same events and the same queries. */
class Trial {
  readonly #random: Random;
  readonly #generator: Generator;
  readonly #waves: Waves;
  readonly #expiresAt: number;
  readonly #within: Within;
  readonly hints = { finish: 0, more: 0, none: 0 };
  readonly reasons = new Set<string>();
  #oracle = new Oracle({ limitDefault: 500, limitMax: 1000 });
  #clients: Client[] = [];
  /** Keys that have authenticated, by connection. */
  readonly #readers = new Map<Client, string[]>();
  readonly refusals = new Set<string>();
  /**
   * Number of stored events that came to open subscriptions because their connection authenticated.
   */
  heldBack = 0;
  /** Number of negentropy sessions that were compared to their end. */
  compared = 0;
  /** Events accepted since the subscriptions were opened. */
  #accepted: NostrEvent[] = [];
  #lasts = 0;

  /** Makes a trial in which events expire so many seconds from now; 0: none does. */
  constructor(seed: number, expirySeconds: number, within: Within) {
    this.#random = new Random(seed);
    this.#within = within;
    this.#expiresAt = expirySeconds > 0 ? seconds() + expirySeconds : 0;
    this.#generator = new Generator(this.#random, {
      now: WRITTEN,
      sign: true,
      expirations: this.#expiresAt > 0 ? [WRITTEN, NEVER, this.#expiresAt] : [WRITTEN, NEVER],
    });
    this.#waves = new Waves(this.#generator);
  }

  /** Connects to a relay that was started with these settings on its former database. */
  async connect(url: string, settings: Settings): Promise<void> {
    this.#oracle.restart({
      limitDefault: Number(settings['limits.limit_default'] ?? 500),
      limitMax: Number(settings['limits.limit_max'] ?? 1000),
    });
    this.#clients = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => Client.connect(url)),
    );
    this.#readers.clear();
    for (const [n, client] of this.#clients.entries()) {
      this.#readers.set(client, []);
      for (let keys = 0; keys < n - 1; keys++) await this.#authenticate(client);
    }
  }

  /** Authenticates as an author of some of the messages, perhaps not for the first time. */
  async #authenticate(client: Client): Promise<void> {
    const event = await this.#authentication(client);
    expect(await client.authenticate(event)).toEqual(['OK', event.id, true, '']);
    this.#readers.set(client, [...this.#readers.get(client)!, event.pubkey]);
  }

  async #authentication(client: Client): Promise<NostrEvent> {
    const author = this.#random.below(this.#generator.authors.length);
    const challenge = await client.challenge();
    return this.#generator.auth(author, challenge, client.socket.url, seconds());
  }

  /** Sends queries, and authenticates before the answer can be there. */
  async askAndAuthenticate(): Promise<void> {
    await this.#inCalm((now) =>
      Promise.all(
        this.#clients.map(async (client, n) => {
          const filters = this.#generator.filters();
          const before = this.#readers.get(client)!;
          const event = await this.#authentication(client);
          const subId = `during-${n}`;
          client.send(['REQ', subId, ...filters]);
          const ok = client.authenticate(event);
          const { events, end } = await client.stored(subId);
          expect(await ok).toEqual(['OK', event.id, true, '']);
          const readers = [...before, event.pubkey];
          this.#readers.set(client, readers);
          this.#compare(filters, before, events, end, now);
          if (refusalOf(filters, before) !== null) return;
          const expected = this.#oracle.heldBack(filters, now, before, readers);
          const heldBack: NostrEvent[] = [];
          while (heldBack.length < expected.length) heldBack.push(await client.live(subId));
          expect(idsOf(heldBack), JSON.stringify([filters, before, readers])).toEqual(
            idsOf(expected),
          );
          this.heldBack += heldBack.length;
          client.send(['CLOSE', subId]);
          await client.sync();
        }),
      ),
    );
    expect(this.#clients.flatMap(({ inbox }) => inbox)).toEqual([]);
  }

  async publish(waves: number): Promise<void> {
    for (let i = 0; i < waves; i++) {
      const wave = this.#waves.next(WAVE_EVENTS);
      await this.#inCalm((now) => this.#wave(wave, now));
    }
  }

  async #wave({ events, chains }: Wave, now: number): Promise<void> {
    const expected = events.map((event) => {
      const { ok, prefix, reason } = this.#oracle.publish(event, now);
      this.reasons.add(reason);
      if (reason === 'stored' || reason === 'ephemeral') this.#accepted.push(event);
      return `${event.id} ${ok} ${prefix}`;
    });
    const answers = await Promise.all(
      this.#random.shuffle(chains).flatMap((chain) => {
        const client = this.#random.pick(this.#clients);
        return chain.map((event) => client.publish(event));
      }),
    );
    const verdicts = answers.map(verdictOf);
    const wrong = chains.filter((chain) =>
      chain.some(({ id }) => verdicts.some((one) => one.startsWith(id) && !expected.includes(one))),
    );
    // The second answer to an event sent twice may come first: it may be the ingester's.
    expect(verdicts.sort(), JSON.stringify(wrong)).toEqual(expected.sort());
  }

  /** Sends random queries, many at once, and compares every answer. */
  async ask(queries: number): Promise<void> {
    // A query that needs authentication is among them whatever the seed.
    const first = this.#clients[0]!;
    await this.#inCalm((now) => this.#req(first, [{ kinds: [PRIVATE_KIND] }], now));
    for (let asked = 0; asked < queries; asked += QUERIES_AT_ONCE) {
      await this.#inCalm((now) =>
        Promise.all(
          Array.from({ length: QUERIES_AT_ONCE }, () => {
            const client = this.#random.pick(this.#clients);
            if (this.#random.chance(0.1)) return this.#askWrongly(client);
            const filters = this.#generator.filters();
            if (this.#random.chance(0.2)) return this.#neg(client, filters[0]!, now);
            return this.#random.chance(0.25)
              ? this.#count(client, filters, now)
              : this.#req(client, filters, now);
          }),
        ),
      );
    }
  }

  async #req(client: Client, filters: readonly RawFilter[], now: number): Promise<void> {
    const readers = this.#readers.get(client)!;
    const { events, end } = await client.query(...filters);
    this.#compare(filters, readers, events, end, now);
  }

  #compare(
    filters: readonly RawFilter[],
    readers: readonly string[],
    events: NostrEvent[],
    end: Message,
    now: number,
  ): void {
    const refusal = refusalOf(filters, readers);
    const asked = JSON.stringify([filters, readers]);
    if (refusal !== null) {
      this.refusals.add(refusal);
      expect([end[0], String(end[2]).split(':')[0]], asked).toEqual(['CLOSED', refusal]);
      expect(events, asked).toEqual([]);
      return;
    }
    const expected = this.#oracle.query(filters, now, readers);
    expect(end[0], asked).toBe('EOSE');
    expect(idsOf(events), asked).toEqual(idsOf(expected));
    expect(JSON.stringify(events), asked).toBe(JSON.stringify(expected));
    const unsent = this.#oracle.count(filters, now, readers) - expected.length;
    const hint = (end[2] as string[] | undefined)?.join() ?? 'none';
    if (hint === 'finish') expect(unsent, `finish after ${asked}`).toBe(0);
    else if (hint === 'more') expect(unsent, `more after ${asked}`).toBeGreaterThan(0);
    else expect(hint).toBe('none');
    this.hints[hint as keyof Trial['hints']]++;
  }

  async #count(client: Client, filters: readonly RawFilter[], now: number): Promise<void> {
    const readers = this.#readers.get(client)!;
    const [verb, , answer] = await client.count(...filters);
    const asked = JSON.stringify([filters, readers]);
    const refusal = refusalOf(filters, readers);
    if (refusal !== null) {
      this.refusals.add(refusal);
      expect([verb, String(answer).split(':')[0]], asked).toEqual(['CLOSED', refusal]);
      return;
    }
    const count = this.#oracle.count(filters, now, readers);
    expect([verb, answer], asked).toEqual(['COUNT', { count }]);
  }

  /** Compares the events of the relay with some of them; half of the time those of all filters. */
  async #neg(client: Client, filter: RawFilter, now: number): Promise<void> {
    const { since, until } = filter;
    const asked: RawFilter = this.#random.chance(0.5)
      ? filter
      : { ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
    const readers = this.#readers.get(client)!;
    const expected = this.#oracle.compared(asked, now, readers);
    const own = this.#random.sample(this.#oracle.all(now), 30);
    const syncing = new Syncing(client, own, 4096);
    const answer = await syncing.open(asked);
    const text = JSON.stringify([asked, readers]);
    const refusal = refusalOf([asked], readers);
    if (refusal !== null) {
      expect([answer[0], String(answer[2]).split(':')[0]], text).toEqual(['NEG-ERR', refusal]);
      return;
    }
    await syncing.finish(answer);
    const [ours, theirs] = [new Set(idsOf(own)), new Set(idsOf(expected))];
    const needed = [...theirs].filter((id) => !ours.has(id));
    expect([...syncing.need].sort(), text).toEqual(needed.sort());
    const had = [...ours].filter((id) => !theirs.has(id));
    expect([...syncing.have].sort(), text).toEqual(had.sort());
    this.compared++;
  }

  async #askWrongly(client: Client): Promise<void> {
    const { filter, prefix } = this.#generator.invalidFilter();
    const filters = this.#random.shuffle([filter, ...this.#random.sample([{}, {}], 2)]);
    const { events, end } = await client.query(...filters);
    expect(events).toEqual([]);
    expect(end[0], JSON.stringify(filters)).toBe('CLOSED');
    expect(end[2], JSON.stringify(filters)).toMatch(new RegExp(`^${prefix}: `));
  }

  /**
   * Opens subscriptions that get every event that matches while they are open, and nothing else.
   */
  async live(waves: number): Promise<void> {
    const open = Array.from({ length: SUBSCRIPTIONS }, (_, n) => ({
      // Ids that several connections share, as the ids of real clients do.
      subId: `live-${n % 10}`,
      client: this.#clients[Math.floor(n / 10)]!,
      filters: [...this.#generator.filters(), { kinds: [LAST_KIND] }],
    }));
    let asked: ((typeof open)[number] & { heldBack: NostrEvent[][] })[] = [];
    await this.#inCalm(async (now) => {
      await Promise.all(
        open.map(async ({ subId, client, filters }) => {
          const { events, end } = await client.req(subId, ...filters);
          this.#compare(filters, this.#readers.get(client)!, events, end, now);
        }),
      );
      // A refused subscription does not exist. A later authentication shows more in the open ones:
      // first the stored events, newest first, once for each key, then the live ones.
      asked = open
        .filter(({ client, filters }) => refusalOf(filters, this.#readers.get(client)!) === null)
        .map((one) => ({ ...one, heldBack: [] as NostrEvent[][] }));
      for (let keys = 0; keys < 2; keys++) {
        const client = this.#clients[this.#random.below(3)]!;
        const before = this.#readers.get(client)!;
        await this.#authenticate(client);
        const readers = this.#readers.get(client)!;
        for (const one of asked.filter((one) => one.client === client)) {
          one.heldBack.push(this.#oracle.heldBack(one.filters, now, before, readers));
        }
      }
    });
    await Promise.all(this.#clients.map((client) => client.sync()));
    this.#accepted = [];
    await this.publish(waves);
    const last = this.#generator.event({ kind: LAST_KIND, content: `last ${++this.#lasts}` });
    await this.#inCalm((now) => this.#wave({ events: [last], chains: [[last]] }, now));
    await Promise.all(
      asked.map(async ({ subId, client, filters, heldBack }) => {
        const readers = this.#readers.get(client)!;
        const stored: NostrEvent[] = [];
        while (stored.length < heldBack.flat().length) stored.push(await client.live(subId));
        // Stored events of two keys may come between each other.
        const want = heldBack.flat();
        const inTurn = heldBack.filter(({ length }) => length > 0).length < 2;
        expect(inTurn ? idsOf(stored) : idsOf(stored).sort(), JSON.stringify(filters)).toEqual(
          inTurn ? idsOf(want) : idsOf(want).sort(),
        );
        this.heldBack += stored.length;
        const delivered: NostrEvent[] = [];
        do delivered.push(await client.live(subId));
        while (delivered.at(-1)!.id !== last.id);
        const expected = this.#accepted.filter(
          (event) => mayRead(event, readers) && filters.some((filter) => matches(filter, event)),
        );
        const asked = JSON.stringify([filters, readers]);
        // Chains of one wave come in any order.
        expect(idsOf(delivered).sort(), asked).toEqual(idsOf(expected).sort());
        expect(new Set(delivered.map((event) => JSON.stringify(event)))).toEqual(
          new Set(expected.map((event) => JSON.stringify(event))),
        );
        client.send(['CLOSE', subId]);
      }),
    );
    await Promise.all(this.#clients.map((client) => client.sync()));
    expect(this.#clients.flatMap(({ inbox }) => inbox)).toEqual([]);
  }

  /** Waits for the second in which events expire. */
  async expiry(): Promise<void> {
    await until(() => seconds() >= this.#expiresAt, 'the second of expiry');
  }

  /**
   * Runs `work` with the time at which it runs, once no second of expiry is near enough to fall
   * into it. If one falls into it all the same, the machine was too slow.
   */
  async #inCalm(work: (now: number) => Promise<unknown>): Promise<void> {
    const left = this.#expiresAt - Date.now() / 1000;
    if (left > 0 && left < CALM_SECONDS) await this.expiry();
    const now = seconds();
    const done = now < this.#expiresAt ? this.#within(this.#expiresAt * 1000 - Date.now()) : null;
    await work(now);
    done?.();
  }
}

/** Settings for all trials: events of any time, and every EOSE hint, so that each is compared. */
const TRIAL: Settings = { ...ANY_TIME, 'query.eose_hints': 'all' };

async function run(setup: Setup, seed: number, expirySeconds: number, within: Within) {
  const directory = freshDirectory();
  let relay: TestRelay = await startRelay({ ...TRIAL, ...setup.settings }, directory);
  const trial = new Trial(seed, expirySeconds, within);
  try {
    await trial.connect(relay.url, setup.settings);
    await trial.publish(WAVES);
    await trial.ask(QUERIES);
    await trial.expiry();
    await trial.live(WAVES);
    await trial.askAndAuthenticate();
    await trial.ask(QUERIES / 2);
    if (setup.crash) await relay.relay.kill('writer', 0);
    await relay.stop();
    relay = await startRelay({ ...TRIAL, ...setup.later }, directory);
    await trial.connect(relay.url, setup.later);
    await trial.ask(QUERIES);
    await trial.askAndAuthenticate();
    await trial.live(WAVES);
    await trial.ask(QUERIES);
    expect(relay.logged).toEqual([]);
  } finally {
    await relay.stop();
  }
  return trial;
}

/** Runs a trial with its second of expiry between two of its steps, with more time if necessary. */
async function tried(setup: Setup, seed: number): Promise<Trial> {
  let trial!: Trial;
  await inTime(async (scale, within) => {
    trial = await run(setup, seed, setup.expiry === true ? EXPIRY_SECONDS * scale : 0, within);
  });
  return trial;
}

describe('the relay answers as the oracle does', () => {
  for (const setup of SETUPS) {
    it(setup.name, { timeout: (1 + 2 * ROUNDS) * TEST_MILLISECONDS }, async () => {
      const hints = { finish: 0, more: 0, none: 0 };
      const reasons = new Set<string>();
      const refusals = new Set<string>();
      let heldBack = 0;
      let compared = 0;
      const isCovered = () => hints.finish > 20 && hints.more > 20 && heldBack > 5;
      // Another seed where one happens to cover too little.
      for (let round = 0; round < ROUNDS || (round < 2 * ROUNDS && !isCovered()); round++) {
        const trial = await tried(setup, SEED + round);
        for (const hint of ['finish', 'more', 'none'] as const) hints[hint] += trial.hints[hint];
        for (const reason of trial.reasons) reasons.add(reason);
        for (const refusal of trial.refusals) refusals.add(refusal);
        heldBack += trial.heldBack;
        compared += trial.compared;
      }
      // The comparison covered enough cases.
      expect(hints.finish).toBeGreaterThan(20);
      expect(hints.more).toBeGreaterThan(20);
      expect([...reasons].sort()).toEqual([
        ...['deleted', 'duplicate', 'ephemeral', 'expired', 'older', 'stored'],
      ]);
      expect(refusals.has('auth-required')).toBe(true);
      expect(heldBack).toBeGreaterThan(5);
      expect(compared).toBeGreaterThan(20);
    });
  }
});

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}

function idsOf(events: readonly NostrEvent[]): string[] {
  return events.map(({ id }) => id);
}

/** Returns `id accepted prefix` of an OK. */
function verdictOf([, id, accepted, text]: Message): string {
  return `${id} ${accepted} ${/^(?:([a-z-]+): .+)?$/.exec(String(text))?.[1] ?? text}`;
}
