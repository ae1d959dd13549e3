// Order of the OK to a request to vanish (NIP-62): after it, no event of the key leaves the relay
// on any path (stored, live, counted, queued). Relays in this process and in their own, over real
// sockets; Writer, Barriers and CountRun as units.

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Channel, channelPair } from '../../src/channel/channel.ts';
import { Credits } from '../../src/channel/credits.ts';
import { RecordOutbox } from '../../src/channel/outbox.ts';
import { packFilters } from '../../src/channel/packed-filters.ts';
import { RecordReader } from '../../src/channel/records.ts';
import { Removals } from '../../src/channel/removals.ts';
import { Barriers } from '../../src/io/barriers.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { readAnswer, type Vanished } from '../../src/messages/answers.ts';
import { writeCheckedEvent } from '../../src/messages/ingester-writer.ts';
import { type Barrier, readFromIo } from '../../src/messages/io-query.ts';
import { Meter } from '../../src/metrics/meter.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { type Filter, parseFilter } from '../../src/protocol/filter.ts';
import { PrivateKinds } from '../../src/protocol/privacy.ts';
import { CountRun, type RunContext } from '../../src/query/run.ts';
import { QueryQueue } from '../../src/query/turns.ts';
import { openReader, openWriter, termKey } from '../../src/store/database/open.ts';
import { validatedEvent } from '../../src/store/event.ts';
import { TermHasher } from '../../src/store/index/terms.ts';
import { Snapshot } from '../../src/store/read/snapshot.ts';
import { TailIndex } from '../../src/store/read/tail-index.ts';
import type { ThreadStation } from '../../src/supervisor/thread-stations.ts';
import { FileGuard } from '../../src/writer/file-guard.ts';
import { Writer } from '../../src/writer/writer.ts';
import { accepted, idsOf, refused } from '../support/answers.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { isRunning, until, WokProcess } from '../support/process.ts';
import {
  freshDirectory,
  type Settings,
  startRelay,
  type TestRelay,
  testConfig,
} from '../support/relay.ts';

const SETTINGS: Settings = {
  'identity.urls': ['wss://relay.example'],
  'auth.private_kinds': [],
  'limits.subscriptions_max': 1_000,
};
/** Trigger that makes a removal take some milliseconds an event. */
const SLOW = `CREATE TRIGGER slow BEFORE DELETE ON event BEGIN
  SELECT (WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 8000)
    SELECT max(n) FROM c);
END`;
/** Short slices that end in the middle of a count, and an index that holds everything. */
const INDEXED: Settings = { 'query.slice_milliseconds': 1, 'storage.index_batch_events': 1 };
const NOW = now();

function vanishing(author: Author, created_at = NOW): NostrEvent {
  return author.event({ kind: 62, created_at, tags: [['relay', 'ALL_RELAYS']] });
}

function notesOf(author: Author, count: number): NostrEvent[] {
  return Array.from({ length: count }, (_, n) => author.event({ created_at: NOW - count + n }));
}

function open({ directory }: { directory: string }, readonly = true): Database.Database {
  return new Database(join(directory, 'wok.db'), { readonly });
}

async function relayWith(settings: Settings = {}): Promise<TestRelay> {
  const relay = await startRelay({ ...SETTINGS, ...settings });
  onTestFinished(() => relay.stop());
  return relay;
}

async function publishAll(client: Client, events: readonly NostrEvent[]): Promise<void> {
  for (let at = 0; at < events.length; at += 500) {
    const some = events.slice(at, at + 500);
    const answers = await Promise.all(some.map((event) => client.publish(event)));
    for (const answer of answers) expect(answer[2]).toBe(true);
  }
}

/**
 * Client that sends one query after the other and keeps the number of events of a key in each
 * answer.
 */
class Asker {
  readonly client: Client;
  /** Number of events found, by the number of the query. */
  readonly found: number[] = [];
  asked = 0;
  #going = true;
  #answered = 0;
  readonly #ask: (n: number) => unknown[];

  constructor(client: Client, pubkey: string, ask: (n: number) => unknown[]) {
    this.client = client;
    this.#ask = ask;
    client.tap = ([verb, subId, third]) => {
      const n = Number(subId);
      if (verb === 'EVENT') this.found[n]! += isOf(third as NostrEvent, pubkey) ? 1 : 0;
      if (verb === 'COUNT') this.found[n] = (third as { count: number }).count;
      if (verb === 'EOSE') client.send(['CLOSE', String(subId)]);
      if (verb === 'CLOSED') expect(third).toMatch(/^error: events were removed/);
      if (verb !== 'EVENT') {
        this.#answered++;
        this.#next();
      }
      return true;
    };
    this.#next();
  }

  #next(): void {
    if (!this.#going) return;
    const n = this.asked++;
    this.found[n] = 0;
    this.client.send(this.#ask(n));
  }

  /** Stops asking; resolves when the last query is answered. */
  async stop(): Promise<void> {
    this.#going = false;
    await until(() => this.#answered === this.asked, 'the last answer');
  }
}

function isOf({ kind, pubkey, tags }: NostrEvent, gone: string): boolean {
  if (kind === 62) return false;
  return pubkey === gone || (kind === 1059 && tags.some(([, value]) => value === gone));
}

/** Connects askers of REQ and COUNT that find notes of a key, and gift wraps for it. */
async function askersFor(url: string, pubkey: string, notes: NostrEvent[]): Promise<Asker[]> {
  const asker = async (ask: (n: number) => unknown[]) =>
    new Asker(await Client.connect(url), pubkey, ask);
  const by = { authors: [pubkey] };
  const stored = await Promise.all([
    asker((n) => ['REQ', String(n), { ...by, limit: 500 }]),
    asker((n) => ['REQ', String(n), { kinds: [1], limit: 20 }]),
    asker((n) => ['REQ', String(n), { ids: idsOf(notes.slice(0, 100)) }]),
    asker((n) => ['REQ', String(n), { kinds: [1059], '#p': [pubkey] }]),
  ]);
  const counts = await Promise.all([
    asker((n) => ['COUNT', String(n), { ...by, kinds: [1] }]),
    asker((n) => ['COUNT', String(n), { kinds: [1, 1059] }]),
    asker((n) => ['COUNT', String(n), { '#p': [pubkey] }]),
  ]);
  return [...stored, ...counts];
}

describe.each([
  ['with two query workers', { 'query.workers': 2, 'ingester.workers': 2 }],
  ['with short slices and everything indexed', INDEXED],
])('from the OK on nothing of a key leaves, %s', (_, settings: Settings) => {
  it('for questions of others, stored, live or counted', async () => {
    const relay = await relayWith(settings);
    const author = new Author();
    const { pubkey } = author;
    const writer = await Client.connect(relay.url);
    const notes = notesOf(author, 2_000);
    await publishAll(writer, notes);
    const wraps = Array.from({ length: 50 }, (_, n) =>
      new Author().event({ kind: 1059, created_at: NOW - n, tags: [['p', pubkey]] }),
    );
    await publishAll(writer, wraps);
    const { url } = relay;
    const by = { authors: [pubkey] };
    const askers = await askersFor(url, pubkey, notes);
    const live = await Promise.all(Array.from({ length: 6 }, () => Client.connect(url)));
    await Promise.all(live.map((client) => client.req('live', by)));
    await until(() => askers.every(({ found }) => found.some((count) => count > 0)), 'answers');
    const request = vanishing(author);
    // Events published right before the request are removed like the rest.
    const last = notesOf(author, 20);
    for (const event of [...last, request]) writer.send(['EVENT', event]);
    expect(await writer.ok(request.id)).toEqual(accepted(request));
    const first = askers.map(({ asked }) => asked);
    await until(() => askers.every(({ asked }, i) => asked > first[i]! + 5), 'more answers');
    await Promise.all(askers.map((one) => one.stop()));
    // Answers to the queries that were sent after the OK.
    expect(askers.map(({ found }, i) => found.slice(first[i]).some((count) => count > 0))).toEqual(
      askers.map(() => false),
    );
    // All that was in flight to these sockets has come; afterwards exactly one more event comes
    // live.
    await Promise.all(live.map((client) => client.sync()));
    for (const { inbox } of live) inbox.splice(0);
    const next = author.event({ created_at: NOW + 5 });
    expect(await writer.publish(next)).toEqual(accepted(next));
    for (const client of live) {
      expect(await client.live('live')).toEqual(next);
      expect(client.inbox).toEqual([]);
    }
    expect((await writer.count(by))[2]).toEqual({ count: 2 });
    expect(relay.logged).toEqual([]);
  });

  it('on the connection of the request, in exact order, whatever was asked before', async () => {
    const relay = await relayWith(settings);
    for (let round = 0; round < 8; round++) {
      const author = new Author();
      const client = await Client.connect(relay.url);
      await publishAll(client, notesOf(author, 300));
      const messages: unknown[][] = [];
      client.tap = (message) => {
        messages.push(message);
        return true;
      };
      const by = { authors: [author.pubkey] };
      const request = vanishing(author);
      const lines: unknown[][] = [['REQ', 'live', { ...by, limit: 0 }]];
      for (let n = 0; n < 6; n++) lines.push(['REQ', `q${n}`, by], ['COUNT', `c${n}`, by]);
      // Live events, stored or ephemeral, while the EOSE of the queries is still to come.
      for (const event of notesOf(author, 30)) lines.push(['EVENT', event]);
      lines.push(['EVENT', author.event({ kind: 20_001, created_at: NOW })]);
      lines.splice(6 + round * 3, 0, ['EVENT', request]);
      for (let n = 6; n < 12; n++) lines.push(['REQ', `q${n}`, by], ['COUNT', `c${n}`, by]);
      for (const line of lines) client.send(line);
      const ended = () => messages.filter(([verb]) => verb === 'EOSE' || verb === 'COUNT').length;
      const ok = () => messages.findIndex(([verb, id]) => verb === 'OK' && id === request.id);
      await until(() => ended() === 25 && ok() >= 0, 'all answers');
      expect(messages[ok()]).toEqual(accepted(request));
      const behind = messages.slice(ok() + 1);
      const leaked = behind.filter(
        ([verb, , third]) =>
          (verb === 'EVENT' && isOf(third as NostrEvent, author.pubkey)) ||
          (verb === 'COUNT' && (third as { count: number }).count > 1),
      );
      expect(leaked).toEqual([]);
      await client.close();
    }
  });
});

it('what io holds back of a key when it vanishes does not leave later', async () => {
  const relay = await relayWith({
    'identity.urls': [],
    'auth.private_kinds': ['1059'],
    'io.outbound_bytes_max': 1024 * 1024,
  });
  const [gone, stays, reader] = [new Author(), new Author(), new Author()];
  const wrapFor = (author: Author, content: string, created_at = NOW - 1) =>
    new Author().event({ kind: 1059, created_at, tags: [['p', author.pubkey]], content });
  const writer = await Client.connect(relay.url);
  // More than the system's buffers take, so that live events queue up after them.
  const stored = Array.from({ length: 350 }, (_, n) =>
    wrapFor(reader, `${n} ${'x'.repeat(60_000)}`),
  );
  for (let at = 0; at < stored.length; at += 50) {
    await publishAll(writer, stored.slice(at, at + 50));
  }
  const slow = await Client.connect(relay.url);
  const other = await Client.connect(relay.url);
  const filter = { kinds: [1, 1059], limit: 350 };
  expect((await slow.req('live', filter)).events).toEqual([]);
  slow.tap = ([verb]) => {
    if (verb === 'EVENT') slow.socket.pause();
    return false;
  };
  // Authenticated as the receiver of a gift wrap, too.
  await other.auth(gone);
  await other.req('live', { ...filter, limit: 0 });
  await slow.auth(gone, reader);
  await until(() => slow.socket.isPaused, 'stored events');
  const live = [gone.event({ created_at: NOW }), wrapFor(gone, 'for who goes'), stays.event()];
  await publishAll(writer, live);
  for (const event of live) expect(await other.live('live')).toEqual(event);
  const request = vanishing(gone);
  expect(await writer.publish(request)).toEqual(accepted(request));
  slow.tap = () => false;
  slow.socket.resume();
  const got: string[] = [];
  while (got.at(-1) !== live[2]!.id) got.push((await slow.live('live')).id);
  expect(got.toSorted()).toEqual(idsOf([...stored, live[2]!]).toSorted());
});

/** Makes a writer on a new database, in this thread and attached to no other station. */
function freshWriter(): { writer: Writer; hasher: TermHasher } {
  const config = testConfig(freshDirectory(), SETTINGS);
  const db = openWriter(config.storage);
  const hasher = new TermHasher(termKey(db));
  const quiet = () => {};
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const meter = Meter.alone('writer');
  const files = new FileGuard(db, config.storage.directory, logger, meter, quiet);
  const cells = new SharedArrayBuffer(16);
  const writer = new Writer(
    config,
    db,
    hasher,
    new Credits(cells, 0),
    new Removals(cells, 1),
    null,
    systemClock,
    logger,
    meter,
    files,
  );
  return { writer, hasher };
}

describe('the OK to a request to vanish', () => {
  it.each([
    ['in the tail of the log', {}],
    ['in the index', INDEXED],
  ])(
    'waits for the end, also when it is sent again, older, or by two keys (%s)',
    async (_, settings) => {
      const relay = await relayWith(settings);
      const client = await Client.connect(relay.url);
      const authors = [new Author(), new Author()];
      for (const author of authors) await publishAll(client, notesOf(author, 1_200));
      const requests = authors.map((author) => vanishing(author));
      const older = authors.map((author) => vanishing(author, NOW - 1));
      const other = await Client.connect(relay.url);
      const db = open(relay);
      const notesLeft = db
        .prepare('SELECT count(*) FROM nostr_event WHERE kind = 1 AND pubkey = ?')
        .pluck();
      /** For each OK: its status, and the number of notes of its key left when it came. */
      const oks: unknown[] = [];
      for (const one of [client, other]) {
        one.tap = ([verb, id, ok]) => {
          const n = [...requests, ...older].findIndex((request) => request.id === id);
          if (verb !== 'OK' || n < 0) return false;
          oks.push([ok, notesLeft.get(authors[n % 2]!.pubkey)]);
          return true;
        };
      }
      for (const request of requests) client.send(['EVENT', request]);
      const between = new Author().event();
      expect(await other.publish(between)).toEqual(accepted(between));
      for (const event of [...requests, ...older]) other.send(['EVENT', event]);
      await until(() => oks.length === 6, 'all answers');
      expect(oks).toEqual(oks.map(() => [true, 0]));
      const again = await (await Client.connect(relay.url)).publish(requests[0]);
      expect(again).toEqual(accepted(requests[0]!, 'duplicate'));
      db.close();
    },
  );

  it('comes without delay where there is nothing to remove', async () => {
    const relay = await relayWith();
    const client = await Client.connect(relay.url);
    for (let n = 0; n < 20; n++) {
      const request = vanishing(new Author());
      expect(await client.publish(request)).toEqual(accepted(request));
    }
  });
});

describe('the OK to a request to vanish, with trouble meanwhile', () => {
  it.each<[ThreadStation, number]>([
    ['query', 0],
    ['query', 1],
    ['monitor', 0],
    ['ingester', 1],
  ])('comes, or the connection ends, when %s worker %i dies meanwhile', async (station, worker) => {
    const relay = await relayWith({
      'query.workers': 2,
      'ingester.workers': 2,
      'query.threads': 'own',
    });
    for (const early of [true, false]) {
      const author = new Author();
      const clients = await Promise.all([0, 1].map(() => Client.connect(relay.url)));
      for (const client of clients) await client.req('live', { limit: 0 });
      await publishAll(clients[0]!, notesOf(author, 600));
      const requests = [vanishing(author), vanishing(author, NOW + 1)];
      if (early) await relay.relay.kill(station, worker);
      for (const [n, client] of clients.entries()) client.send(['EVENT', requests[n]]);
      if (!early) await relay.relay.kill(station, worker);
      const ends = clients.map(async (client, n) =>
        Promise.race([
          client.ok(requests[n]!.id).catch(() => 'ended'),
          client.ended().then(() => 'ended'),
        ]),
      );
      for (const [n, end] of (await Promise.all(ends)).entries()) {
        // With two ingester workers, either may come first.
        if (end !== 'ended') expect(end.slice(0, 3)).toEqual(['OK', requests[n]!.id, true]);
      }
      await until(async () => relay.relay.health().healthy, 'all workers to be back');
      // A client that connects and asks again gets the OK.
      const client = await Client.connect(relay.url);
      await until(async () => {
        const [, , ok] = await client.publish(requests[1]!);
        return ok === true;
      }, 'OK to the same request');
      expect((await client.count({ authors: [author.pubkey], kinds: [1] }))[2]).toEqual({
        count: 0,
      });
    }
  });

  it('is error: when removing fails; it goes on by itself', async () => {
    const relay = await relayWith();
    const client = await Client.connect(relay.url);
    const author = new Author();
    const notes = notesOf(author, 10);
    await publishAll(client, notes);
    const db = open(relay, false);
    db.exec(`CREATE TRIGGER failing BEFORE DELETE ON event
      BEGIN SELECT raise(ABORT, 'disk I/O error'); END`);
    const request = vanishing(author);
    expect(await client.publish(request)).toEqual(refused(request, 'error'));
    // Sent again before the next attempt, the request is refused at once.
    expect(await client.publish(request)).toEqual(refused(request, 'error'));
    // Events of others are still accepted.
    const other = new Author().event();
    expect(await client.publish(other)).toEqual(accepted(other));
    const done = db.prepare('SELECT done_at FROM vanish_request WHERE id = ?').pluck();
    expect(done.get(request.id)).toBe(null);
    db.exec('DROP TRIGGER failing');
    await until(() => done.get(request.id) !== null, 'the removal to go on');
    db.close();
    expect(await client.publish(request)).toEqual(accepted(request, 'duplicate'));
    expect((await client.query({ authors: [author.pubkey] })).events).toEqual([request]);
    await client.close();
  });
});

describe('the OK to a request to vanish, when its relay or its writer ends', () => {
  it('is error: when a successor takes over before the end, which goes on', async () => {
    const directory = freshDirectory();
    const wok = WokProcess.spawn({ ...SETTINGS, 'shutdown.handover_seconds': 5 }, directory);
    const successor = () => /starting a successor {2}pid=(\d+)/.exec(wok.out)?.[1];
    onTestFinished(() => {
      const pid = Number(successor() ?? 0);
      if (pid > 0 && isRunning(pid)) process.kill(pid, 'SIGKILL');
    });
    await wok.listening();
    const client = await Client.connect(wok.url);
    const author = new Author();
    await publishAll(client, notesOf(author, 1_000));
    const stays = await Client.connect(wok.url);
    await stays.req('live', { authors: [author.pubkey] });
    const db = open({ directory }, false);
    db.exec(SLOW);
    const request = vanishing(author);
    client.send(['EVENT', request]);
    const done = db.prepare('SELECT done_at FROM vanish_request WHERE id = ?').pluck();
    await until(() => done.get(request.id) !== undefined, 'the request to be stored');
    wok.signal('SIGUSR2');
    const [, , ok, text] = await client.ok(request.id);
    if (ok !== true) expect(text).toMatch(/^error: this relay is being restarted; .*stored/);
    await until(() => wok.out.includes('a successor has taken over'), 'the successor');
    // A connection that the old process still accepts gets an error and has to come again.
    let next = await Client.connect(wok.url);
    for (;;) {
      const answer = await next.publish(request);
      if (answer[2] === true) break;
      expect(answer).toEqual(refused(request, 'error'));
      next = await Client.connect(wok.url);
    }
    expect(done.get(request.id)).not.toBe(null);
    expect((await next.query({ authors: [author.pubkey] })).events).toEqual([request]);
    db.close();
    await stays.ended();
  });

  it('is error: when the writer stops before the end', async () => {
    const { writer, hasher } = freshWriter();
    const [io, ingester] = (['io', 'ingester'] as const).map((station) => {
      const [near, far] = channelPair(4096, 4096).map((end) => new Channel(end));
      writer.attach(station, 0, near!);
      onTestFinished(() => far!.close());
      return { near: near!, far: far! };
    });
    const request = vanishing(new Author());
    const outbox = new RecordOutbox(ingester!.far);
    const body = Buffer.from(JSON.stringify(request));
    const validated = validatedEvent(request, body, hasher.ofEvent(request));
    writeCheckedEvent(outbox.records, 7, validated, body, 0, 600);
    outbox.flush();
    // Before the event loop turns: stop() stores the request, and has no time to carry it out.
    ingester!.near.drain();
    writer.stop();
    const answers: unknown[] = [];
    io!.far.receive((batch) => {
      const answer = readAnswer(new RecordReader(Buffer.from(batch)));
      if ('frame' in answer) answers.push(answer.connId, JSON.parse(String(answer.frame)));
    });
    expect(answers).toEqual([7, refused(request, 'error')]);
    expect(String(answers[1])).toContain('is stored and continues by itself with the next start');
  });
});

describe('Barriers', () => {
  const key = { pubkey: 'a'.repeat(64), until: 1, removed: true };
  const answers = [{ connId: 1, acks: 600, frame: Buffer.from('OK') }];

  function worker(): { outbox: RecordOutbox; asked: () => number[] } {
    const [near, far] = channelPair(4096, 4096).map((end) => new Channel(end));
    const numbers: number[] = [];
    far!.receive((batch) => {
      const reader = new RecordReader(Buffer.from(batch));
      while (reader.more) numbers.push((readFromIo(reader) as Barrier).n);
    });
    onTestFinished(() => far!.close());
    const asked = () => {
      far!.drain();
      return numbers.splice(0);
    };
    return { outbox: new RecordOutbox(near!), asked };
  }

  it('pass when every worker has answered, or was started again', () => {
    const passed: Vanished[] = [];
    const barriers = new Barriers((vanished) => passed.push(vanished));
    const workers = [worker(), worker(), worker()];
    for (const [n, { outbox }] of workers.entries()) barriers.attach(`query:${n}`, outbox);
    barriers.begin({ key, answers });
    barriers.begin({ key, answers: [] });
    expect(workers.map(({ asked }) => asked())).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    barriers.marked('query:0', 1);
    barriers.marked('query:1', 1);
    barriers.marked('query:1', 1);
    expect(passed).toEqual([]);
    const again = worker();
    barriers.attach('query:2', again.outbox);
    expect(passed).toEqual([{ key, answers }]);
    barriers.begin({ key, answers });
    expect([again.asked(), workers[2]!.asked()]).toEqual([[3], []]);
    barriers.passAll();
    expect(passed).toHaveLength(3);
    barriers.marked('query:0', 2);
    expect(passed).toHaveLength(3);
  });
});

/** Makes what a COUNT needs of its worker, over an empty database; refused ones say why. */
function emptyWorker(refusals: string[]): RunContext {
  const { storage } = testConfig(freshDirectory());
  openWriter(storage).close();
  const db = openReader(storage);
  onTestFinished(() => void db.close());
  const hasher = new TermHasher(termKey(db));
  const snapshot = new Snapshot(db, hasher, new TailIndex(10), () => NOW, {
    removals: new Removals(new SharedArrayBuffer(4)),
    cacheBytes: 0,
  });
  snapshot.load();
  snapshot.enter();
  return {
    snapshot,
    hasher,
    ioOutbox: { countRefused: (_: unknown, why: string) => refusals.push(why) },
    privateKinds: new PrivateKinds([]),
  } as unknown as RunContext;
}

describe('a COUNT under way', () => {
  it('never tells of a key that has vanished, whoever vanishes meanwhile', async () => {
    const relay = await relayWith({ 'query.slice_milliseconds': 1 });
    const client = await Client.connect(relay.url);
    const authors = Array.from({ length: 12 }, () => new Author());
    for (const author of authors) await publishAll(client, notesOf(author, 60));
    const counter = new Asker(await Client.connect(relay.url), '', (n) => [
      'COUNT',
      String(n),
      { kinds: [1] },
    ]);
    for (const [n, author] of authors.entries()) {
      const request = vanishing(author);
      expect(await client.publish(request)).toEqual(accepted(request));
      const left = (authors.length - n - 1) * 60;
      expect((await client.count({ kinds: [1] }))[2]).toEqual({ count: left });
    }
    await counter.stop();
    expect(counter.found.at(-1)).toBe(0);
  });

  it('is begun anew three times, where its filters may have found the key, and then refused', () => {
    const pubkey = 'a'.repeat(64);
    const key = { pubkey, until: NOW, removed: true };
    const refusals: string[] = [];
    const worker = emptyWorker(refusals);
    const limits = { filterValuesMax: 10, filterTagsMax: 10 };
    const run = (filter: object) =>
      new CountRun(
        worker,
        {
          queryId: 'q',
          connId: 1,
          filters: packFilters([parseFilter(filter, limits) as Filter]),
          arrivedAt: 0,
          cost: 600,
        },
        [],
        { queryCost: null, turns: new QueryQueue().connect('192.0.2.1') },
      );
    /** Returns how often a COUNT has to be begun until it is refused; 9 if it never is. */
    const begun = (filter: object) => {
      const count = run(filter);
      // Restarts before the first step are free: nothing was counted yet.
      for (let n = 0; n < 9; n++) count.countAgain(key);
      for (let n = 1; n < 9; n++) {
        if (count.step({ rows: 0 }) === 'done') return n - 1;
        count.countAgain(key);
      }
      return 9;
    };
    for (const filter of [
      { kinds: [1] },
      { authors: [pubkey] },
      { kinds: [1059] },
      { authors: ['b'.repeat(64)], '#p': [pubkey] },
    ]) {
      expect([filter, begun(filter)]).toEqual([filter, 4]);
    }
    expect(refusals).toHaveLength(4);
    for (const why of refusals) expect(why).toMatch(/^error: .*try again/);
    for (const filter of [
      { authors: ['b'.repeat(64)], kinds: [1] },
      { authors: ['b'.repeat(64)], '#p': ['c'.repeat(64)] },
      { since: NOW + 1 },
    ]) {
      expect([filter, begun(filter)]).toEqual([filter, 9]);
    }
  });
});
