// Worker threads that die under load: clients of the other workers notice nothing, every
// acknowledged event is delivered exactly once, and the workers come back. In-process relays over
// real sockets; Query and Monitor as units.

import { describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { Channel, channelPair } from '../../src/channel/channel.ts';
import { RecordOutbox } from '../../src/channel/outbox.ts';
import { packFilters } from '../../src/channel/packed-filters.ts';
import { RecordReader, RecordWriter } from '../../src/channel/records.ts';
import { Removals } from '../../src/channel/removals.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { StationName } from '../../src/messages/control.ts';
import { writeQueryRequest } from '../../src/messages/ingester-query.ts';
import { CheckedEvent, writeCheckedEvent } from '../../src/messages/ingester-writer.ts';
import { type Handover, readHandover, writeHandover } from '../../src/messages/query-monitor.ts';
import { writeAcceptedEvent, writeHead } from '../../src/messages/writer-monitor.ts';
import { Monitor } from '../../src/monitor/monitor.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { type Filter, parseFilter } from '../../src/protocol/filter.ts';
import { Query } from '../../src/query/query.ts';
import { openReader, openWriter, termKey } from '../../src/store/database/open.ts';
import { validatedEvent } from '../../src/store/event.ts';
import { TermHasher } from '../../src/store/index/terms.ts';
import type { ThreadStation } from '../../src/supervisor/thread-stations.ts';
import { Author } from '../support/author.ts';
import { SLOW_MILLISECONDS } from '../support/ceiling.ts';
import { Client } from '../support/client.ts';
import { framesOf } from '../support/deliveries.ts';
import { http } from '../support/http.ts';
import { delay, until } from '../support/process.ts';
import { Publisher } from '../support/publisher.ts';
import { Random, testSeed } from '../support/random.ts';
import {
  freshDirectory,
  type Settings,
  startRelay,
  type TestRelay,
  testConfig,
} from '../support/relay.ts';

const EVERYTHING = packFilters([
  parseFilter({}, { filterValuesMax: 1, filterTagsMax: 1 }) as Filter,
]);
const author = new Author();
/** Events that a REQ brings: more than ten members publish. */
const READ_MAX = 5_000;
const PUBLISHED_MAX = 400;
const TWO_WORKERS: Settings = {
  'ingester.workers': 2,
  'query.workers': 2,
  'limits.limit_max': READ_MAX,
};
const CLOSE_SERVICE_RESTART = 1012;

/** Client that keeps a subscription open and publishes without pause, one event at a time. */
class Member {
  closed: number | null = null;
  /** Number of times that each event came by the subscription, by id. */
  readonly received = new Map<string, number>();
  readonly accepted: string[] = [];
  /** Longest time between two answers, in milliseconds. */
  longestGap = 0;
  live = false;
  readonly socket: WebSocket;
  readonly #author = new Author();
  readonly #room: string;
  #publishing = false;
  #most = Number.POSITIVE_INFINITY;
  #waiting = false;
  #answeredAt = 0;

  private constructor(socket: WebSocket, room: string) {
    this.socket = socket;
    this.#room = room;
    socket.on('error', () => {});
    socket.on('close', (code) => {
      this.closed = code;
    });
    socket.on('message', (data) => this.#take(JSON.parse(String(data)) as unknown[]));
  }

  /** Connects; unless it is a `writer`, subscribes to all events with the tag `room`. */
  static async join(url: string, room: string, role: 'reader' | 'writer' = 'reader') {
    const socket = new WebSocket(url);
    const member = new Member(socket, room);
    await new Promise((resolve) => socket.once('open', resolve));
    if (role === 'reader') {
      socket.send(JSON.stringify(['REQ', 'room', { '#t': [room], limit: READ_MAX }]));
      await until(() => member.live || member.closed !== null, 'EOSE or the end');
    }
    return member;
  }

  /** True if no answer is outstanding. */
  get quiet(): boolean {
    return this.closed !== null || !this.#waiting;
  }

  /** Starts or stops publishing; it ends by itself after so many events. */
  publishing(on: boolean, most = Number.POSITIVE_INFINITY): void {
    this.#most = most;
    const starts = on && !this.#waiting;
    this.#publishing = on;
    if (!starts) return;
    this.#answeredAt = performance.now();
    this.#publish();
  }

  #publish(): void {
    if (this.accepted.length >= this.#most) return;
    const event = this.#author.event({ tags: [['t', this.#room]] });
    this.socket.send(JSON.stringify(['EVENT', event]));
    this.#waiting = true;
  }

  #take(message: unknown[]): void {
    const [verb, id, third] = message;
    if (verb === 'EOSE') this.live = true;
    else if (verb === 'EVENT') {
      const { id } = third as NostrEvent;
      this.received.set(id, (this.received.get(id) ?? 0) + 1);
    } else if (verb === 'OK') {
      if (third !== true) throw new Error(`not accepted: ${JSON.stringify(message)}`);
      this.accepted.push(id as string);
      const now = performance.now();
      this.longestGap = Math.max(this.longestGap, now - this.#answeredAt);
      this.#answeredAt = now;
      this.#waiting = false;
      if (this.#publishing) this.#publish();
    } else if (verb !== 'AUTH') throw new Error(`unexpected: ${JSON.stringify(message)}`);
  }
}

async function health({ httpUrl }: TestRelay): Promise<{ status: number; body: string }> {
  return http(`${httpUrl}/health`);
}

/** Expects that every event with an OK reaches every member that is still connected, once. */
async function expectExactlyOnce(members: readonly Member[], all: readonly Member[]) {
  await until(() => members.every(({ quiet }) => quiet), 'the last OK');
  const accepted = new Set(all.flatMap((member) => member.accepted));
  for (const member of members) {
    const missing = () => [...accepted].filter((id) => !member.received.has(id));
    await until(
      () => member.closed !== null || missing().length === 0,
      'every accepted event',
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${missing().length} of ${accepted.size} are missing`);
    });
    expect([...member.received.values()].every((times) => times === 1)).toBe(true);
  }
}

describe.each<['own' | 'shared', ThreadStation, number]>([
  ['own', 'ingester', 0],
  ['own', 'ingester', 1],
  ['own', 'query', 0],
  ['own', 'query', 1],
  ['own', 'monitor', 0],
  ['shared', 'ingester', 0],
  ['shared', 'query', 1],
])('a thread (%s) in which %s worker %i works dies', (threads, station, worker) => {
  it('its clients are sent away, the others notice nothing, and it comes back', async () => {
    const relay = await startRelay({ ...TWO_WORKERS, 'query.threads': threads });
    const room = `${station} ${worker}`;
    const members: Member[] = [];
    for (let i = 0; i < 6; i++) {
      members.push(await Member.join(relay.url, room, i < 4 ? 'reader' : 'writer'));
    }
    // io numbers connections from 1.
    const monitors = station === 'monitor' || (threads === 'shared' && worker === 0);
    const concerned = members.filter(
      (_, i) => (monitors && i < 4) || (station !== 'monitor' && (i + 1) % 2 === worker),
    );
    const others = members.filter((member) => !concerned.includes(member));
    for (const member of members) member.publishing(true, PUBLISHED_MAX);
    await until(() => members.every(({ accepted }) => accepted.length > 20), 'the load');
    expect(await health(relay)).toMatchObject({ status: 200, body: 'ok\n' });

    const killed = relay.relay.kill(station, worker);
    let reason = '';
    await until(async () => {
      const { status, body } = await health(relay);
      reason = body;
      return status === 503;
    }, 'being unwell');
    expect(reason).toContain(`${station} worker ${worker} is restarting`);
    expect(reason.match(/is restarting/g)).toHaveLength(threads === 'own' ? 1 : monitors ? 3 : 2);
    await killed;
    await until(async () => (await health(relay)).status === 200, 'being well again');
    await until(() => concerned.every(({ closed }) => closed !== null), 'the goodbye');
    expect(concerned.map(({ closed }) => closed)).toEqual(
      concerned.map(() => CLOSE_SERVICE_RESTART),
    );

    const newcomers: Member[] = [];
    for (let i = 0; i < 4; i++) newcomers.push(await Member.join(relay.url, room));
    for (const member of newcomers) member.publishing(true, PUBLISHED_MAX);
    await until(() => newcomers.every(({ accepted }) => accepted.length > 20), 'a new load');
    for (const member of [...others, ...newcomers]) member.publishing(false);
    expect(others.map(({ closed }) => closed)).toEqual(others.map(() => null));
    for (const { longestGap } of others) expect(longestGap).toBeLessThan(SLOW_MILLISECONDS);
    const listening = [...others, ...newcomers].filter(({ live }) => live);
    await expectExactlyOnce(listening, [...members, ...newcomers]);
    const gap = Math.round(Math.max(...others.map(({ longestGap }) => longestGap)));
    process.stdout.write(
      `stress/supervision: ${station} ${worker}: longest gap of others ${gap} ms\n`,
    );
    expect(relay.relay.counters.connections).toBe(others.length + newcomers.length);
    for (const { socket } of members.concat(newcomers)) socket.terminate();
    await relay.stop();
  });
});

describe('workers that die at random', () => {
  const seed = testSeed('stress/supervision');
  const eachWorker = (station: ThreadStation) =>
    [0, 1, 0, 1].map((worker): [ThreadStation, number] => [station, worker]);
  const setups: ['own' | 'shared', [ThreadStation, number][]][] = [
    ['own', [...eachWorker('ingester'), ...eachWorker('query'), ['monitor', 0], ['monitor', 0]]],
    ['shared', [...eachWorker('ingester'), ...eachWorker('query')]],
  ];

  it.each(setups)(
    'lose no event for whoever was not sent away (threads: %s)',
    async (threads, workers) => {
      const random = new Random(seed);
      const relay = await startRelay({
        ...TWO_WORKERS,
        'query.threads': threads,
        'storage.index_batch_events': 100,
      });
      const kills = random.shuffle(workers);
      const all: Member[] = [];
      let here: Member[] = [];
      let over = false;
      // Closed members are replaced; they stop publishing before there are more events than a REQ
      // brings.
      const arrivals = (async () => {
        while (!over) {
          here = here.filter(({ closed }) => closed === null);
          const spoken = all.reduce((sum, { accepted }) => sum + accepted.length, 0);
          for (const member of here) member.publishing(spoken < 800);
          if (here.length < 6) {
            const member = await Member.join(relay.url, 'room');
            all.push(member);
            here.push(member);
          }
          await delay(5);
        }
      })();
      for (const [station, worker] of kills) {
        await delay(random.below(150));
        await relay.relay.kill(station, worker);
        if (random.chance(0.5)) {
          await until(async () => (await health(relay)).status === 200, 'being well again');
        }
      }
      await until(async () => (await health(relay)).status === 200, 'being well again');
      const settled = () => here.every(({ closed, live }) => closed === null && live);
      await until(() => here.length === 6 && settled(), 'a full house');
      over = true;
      await arrivals;
      for (const member of here) member.publishing(false);
      await expectExactlyOnce(here, all);
      expect(here.some(({ closed }) => closed === null)).toBe(true);
      process.stdout.write(`stress/supervision: ${all.length} members, ${kills.length} kills\n`);
      for (const { socket } of all) socket.terminate();
      await relay.stop();
    },
  );
});

describe('a query worker', () => {
  it('forgets the connections of an ingester worker that comes again', async () => {
    const config = testConfig(freshDirectory());
    openWriter(config.storage).close();
    const db = openReader(config.storage);
    const removals = new Removals(new SharedArrayBuffer(4));
    const query = new Query(config, db, new TermHasher(termKey(db)), removals, systemClock);
    const link = (station: StationName, worker: number) => {
      const [near, far] = channelPair(4096, 4096).map((end) => new Channel(end));
      query.attach(station, worker, near!);
      onTestFinished(() => far!.close());
      return far!;
    };
    const handovers: Handover[] = [];
    const monitor = link('monitor', 0);
    monitor.receive((batch) => {
      const reader = new RecordReader(batch);
      while (reader.more) handovers.push(readHandover(reader));
    });
    link('io', 0);
    for (const worker of [0, 1]) {
      const outbox = new RecordOutbox(link('ingester', worker));
      for (const connId of [2 + worker, 4 + worker]) {
        writeQueryRequest(outbox.records, {
          t: 'req',
          arrivedAt: 0,
          cost: 600,
          connId,
          subNo: 1,
          subId: 'live',
          replaces: 0,
          filters: EVERYTHING,
        });
      }
      outbox.flush();
    }
    await until(() => handovers.length === 4, 'the hand-overs');
    link('ingester', 1);
    // No wake-up comes for the disconnects: the test drains the channel itself.
    await until(() => monitor.drain() || handovers.length > 4, 'the forgetting');
    expect(handovers.slice(4)).toEqual([
      { t: 'disconnect', connId: 3 },
      { t: 'disconnect', connId: 5 },
    ]);
    query.stop();
  });
});

describe('the monitor', () => {
  it('delivers what the writer had sent when it is told to stop', async () => {
    const hasher = new TermHasher(new Uint8Array(8));
    const monitor = new Monitor(testConfig(freshDirectory()), hasher);
    const link = (station: StationName) => {
      const [near, far] = channelPair(4096, 4096).map((end) => new Channel(end));
      monitor.attach(station, 0, near!);
      onTestFinished(() => far!.close());
      return far!;
    };
    const [io, writer, query] = [link('io'), link('writer'), link('query')];
    const live = { connId: 1, subNo: 1, subId: 'live', seq: 0, filters: EVERYTHING, readers: [] };
    const handovers = new RecordOutbox(query);
    writeHandover(handovers.records, { t: 'live', ...live });
    handovers.flush();
    const event = author.event();
    const checked = new RecordWriter();
    const json = Buffer.from(JSON.stringify(event));
    writeCheckedEvent(checked, 1, validatedEvent(event, json, hasher.ofEvent(event)), json);
    const batch = new RecordReader(checked.take());
    const accepted = new RecordOutbox(writer);
    writeHead(accepted.records, 0);
    writeAcceptedEvent(accepted.records, 1, new CheckedEvent(batch));
    accepted.flush();
    // Before the event loop turns, so that only stop() can have read anything.
    monitor.stop();
    const frames: string[] = [];
    io.receive((batch) => {
      for (const { frame } of framesOf(new RecordReader(batch))) frames.push(frame);
    });
    expect(frames.map((frame) => JSON.parse(frame))).toEqual([['EVENT', 'live', event]]);
  });
});

describe('the queue before the writer', () => {
  it('is empty again after ingesters died with events for it', async () => {
    const relay = await startRelay({
      'ingester.workers': 1,
      'writer.queue_events_max': 64,
      'writer.batch_events_max': 64,
    });
    for (let kill = 0; kill < 4; kill++) {
      const publisher = await Publisher.connect(relay.url);
      const running = publisher.publish(() => author.event(), 500);
      await until(() => publisher.answers > 100, 'some answers');
      await relay.relay.kill('ingester', 0);
      await running;
      await until(async () => (await health(relay)).status === 200, 'being well again');
    }
    const client = await Client.connect(relay.url);
    for (let i = 0; i < 20; i++) {
      expect((await client.publish(author.event())).slice(2)).toEqual([true, '']);
    }
    client.socket.terminate();
    await relay.stop();
  });
});

describe('what cannot be repaired', () => {
  it('a worker that dies six times in a minute ends the relay', async () => {
    const relay = await startRelay(TWO_WORKERS);
    let fatal = '';
    void relay.relay.fatal.then(({ station }) => {
      fatal = station;
    });
    for (let kill = 1; kill <= 6; kill++) {
      expect(fatal).toBe('');
      await relay.relay.kill('query', 1);
      if (kill < 6)
        await until(async () => (await health(relay)).status === 200, 'being well again');
    }
    await until(() => fatal !== '', 'the end');
    expect(fatal).toBe('query');
    expect(await health(relay)).toMatchObject({
      status: 503,
      body: 'the query worker exited\n',
    });
    await relay.relay.abandon();
  });

  it('so does the death of the writer', async () => {
    const relay = await startRelay();
    await relay.relay.kill('writer', 0);
    expect(await relay.relay.fatal).toMatchObject({ station: 'writer' });
    expect(await health(relay)).toMatchObject({
      status: 503,
      body: 'the writer worker exited\n',
    });
    await relay.relay.abandon();
  });
});
