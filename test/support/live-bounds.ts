// Options that take effect while the relay runs and only set a bound or a pace, with a check of
// each from the outside; used by the tests of a live reload.

import { readFileSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { databaseFile } from '../../src/store/database/open.ts';
import { Author } from './author.ts';
import { Client } from './client.ts';
import { until } from './process.ts';
import type { Settings, TestRelay } from './relay.ts';

/** Option that sets a bound or a pace, and its visible effect before and after a change. */
export interface BoundCase {
  readonly value: Settings[string];
  /** Value before the change; by default the default of the option. */
  readonly former?: Settings[string];
  /** Other settings, the same before and after. */
  readonly beside?: Settings;
  readonly look: (relay: TestRelay) => Promise<unknown>;
  /**
   * Effect before the change; `undefined` if it is not observed, because that would take too long.
   */
  readonly before?: unknown;
  readonly after: unknown;
}

const author = new Author();
/** Settings that a relay needs from its start so that the effects below are visible. */
export const BOUND_BASE: Settings = {
  'io.connections_per_ip_max': 0,
  'io.compression': 'shared',
  // Without a cache every query reads from disk again.
  'query.cache_bytes': 0,
  'writer.expired_purge_seconds': 86_400,
};
const KIB = 1024;
const BURST = 60;
const NO_ID = '0'.repeat(64);
/** Delay so long that no event is indexed by time while a test observes. */
const NO_INDEX_CLOCK: Settings = { 'storage.index_delay_milliseconds': 60_000 };

async function withClient<T>({ url }: TestRelay, use: (client: Client) => Promise<T>): Promise<T> {
  const client = await Client.connect(url);
  try {
    return await use(client);
  } finally {
    client.socket.terminate();
  }
}

/** Returns a unique text of at least this many characters that compresses well. */
function unique(length: number): string {
  return `${Math.random()}`.padEnd(length);
}

/** Publishes events that reach the relay together; resolves to the prefixes of the rejections. */
async function burst(client: Client, content: () => string, count = BURST): Promise<string[]> {
  const events = Array.from({ length: count }, () => author.event({ content: content() }));
  client.socket.pause();
  for (const event of events) client.send(['EVENT', event]);
  client.socket.resume();
  const answers = await Promise.all(events.map(({ id }) => client.ok(id)));
  return answers.filter(([, , ok]) => ok !== true).map(([, , , why]) => String(why).split(':')[0]!);
}

/** Sends COUNTs that reach the relay together; resolves to the number of rejected ones. */
async function refusedCounts(client: Client, count: number): Promise<number> {
  for (let i = 0; i < count; i++) client.send(['COUNT', `c${i}`, { ids: [NO_ID] }]);
  const answers = await Promise.all(
    Array.from({ length: count }, (_, i) => client.next(([, id]) => id === `c${i}`)),
  );
  return answers.filter(([verb]) => verb === 'CLOSED').length;
}

function metric({ relay }: TestRelay, name: string): number {
  const line = relay
    .metricsText()
    .split('\n')
    .find((text) => text.startsWith(`${name} `) || text.startsWith(`${name}{`));
  return Number(line?.split(' ').at(-1));
}

function reading<T>({ directory }: TestRelay, use: (db: Database.Database) => T): T {
  const db = new Database(databaseFile(directory), { readonly: true });
  try {
    return use(db);
  } finally {
    db.close();
  }
}

const UNINDEXED =
  "SELECT (SELECT max(seq) FROM event) - (SELECT value FROM meta WHERE name = 'indexed_seq')";
const WIDE_TAGS = Array.from({ length: 1900 }, (_, i) => `wide ${i}`);
const WIDE = { '#t': WIDE_TAGS };
const WIDE_EVENTS = 40;
const widened = new WeakSet<TestRelay>();

/** Fills more than 1 MiB of the index with lists that one COUNT has to read, once for a relay. */
async function widen(relay: TestRelay, client: Client): Promise<void> {
  if (widened.has(relay)) return;
  widened.add(relay);
  const tags = WIDE_TAGS.map((value) => ['t', value]);
  for (let i = 0; i < WIDE_EVENTS; i++) {
    const [, , accepted, why] = await client.publish(author.event({ tags }));
    if (accepted !== true) throw new Error(String(why));
  }
  await until(() => reading(relay, (db) => db.prepare(UNINDEXED).pluck().get()) === 0, 'the index');
}

/** Returns the bytes that this process has read through the kernel so far, from files and pipes. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))![1]);
}

/** Cases by option: every live option that only sets a bound or a pace. */
export const boundCases: Readonly<Record<string, BoundCase>> = {
  'io.outbound_bytes_max': {
    value: 256 * KIB,
    // One event for ninety subscriptions makes 9 MB at once.
    look: (relay) =>
      withClient(relay, async (reader) => {
        const subscriptions = Array.from({ length: 90 }, (_, i) => `s${i}`);
        const note = author.event({ content: unique(100_000) });
        for (const id of subscriptions) await reader.req(id, { ids: [note.id] });
        await withClient(relay, (writer) => writer.publish(note));
        const delivered = Promise.all(subscriptions.map((id) => reader.live(id)));
        const ended = reader.ended().then(() => 'cut off');
        return Promise.race([
          delivered.then(
            () => 'delivered',
            () => ended,
          ),
          ended,
        ]);
      }),
    before: 'delivered',
    after: 'cut off',
  },
  'io.compression_min_bytes': {
    value: 64 * KIB,
    look: (relay) =>
      withClient(relay, async (client) => {
        const note = author.event({ content: unique(20_000) });
        await client.publish(note);
        const { _socket: socket } = client.socket as unknown as { _socket: { bytesRead: number } };
        const before = socket.bytesRead;
        await client.query({ ids: [note.id] });
        return socket.bytesRead - before > 20_000 ? 'as it is' : 'compressed';
      }),
    before: 'compressed',
    after: 'as it is',
  },
  'io.queue_bytes_max': {
    value: 256 * KIB,
    look: (relay) =>
      withClient(relay, async (client) => {
        const refused = await burst(client, () => unique(100_000), 40);
        return [...new Set(refused)];
      }),
    before: [],
    after: ['rate-limited'],
  },
  'writer.batch_events_max': {
    value: 1,
    look: (relay) =>
      withClient(relay, async (client) => {
        const before = metric(relay, 'wok_writer_batch_events_count');
        expectAll(await burst(client, () => unique(20)));
        const batches = metric(relay, 'wok_writer_batch_events_count') - before;
        return batches < BURST ? 'together' : 'one by one';
      }),
    before: 'together',
    after: 'one by one',
  },
  'writer.queue_events_max': {
    value: 16,
    beside: { 'writer.batch_events_max': 16 },
    look: (relay) =>
      withClient(relay, async (client) => [...new Set(await burst(client, () => unique(20), 300))]),
    before: [],
    after: ['rate-limited'],
  },
  'writer.expired_purge_seconds': {
    value: 1,
    look: (relay) =>
      withClient(relay, async (client) => {
        const end = Math.floor(Date.now() / 1000) + 2;
        const note = author.event({ tags: [['expiration', `${end}`]] });
        const [, , accepted] = await client.publish(note);
        const rows = () =>
          reading(relay, (db) =>
            db.prepare('SELECT count(*) FROM event WHERE expires_at = ?').pluck().get(end),
          );
        const there = rows();
        // A purge once a day, as in BOUND_BASE, would come after the end of this wait.
        await until(() => rows() === 0, 'the event to leave the disk');
        return [accepted, there];
      }),
    after: [true, 1],
  },
  'storage.cache_mib': {
    value: 1,
    beside: NO_INDEX_CLOCK,
    look: (relay) =>
      withClient(relay, async (client) => {
        let read = Number.POSITIVE_INFINITY;
        let answer: unknown;
        // The least of six: a commit in between invalidates the pages, and other threads
        // read files as well.
        for (let i = 0; i < 6; i++) {
          const before = bytesRead();
          answer = (await client.count(WIDE))[2];
          read = Math.min(read, bytesRead() - before);
        }
        return [answer, read > 512 * KIB ? 'read again' : 'kept'];
      }),
    before: [{ count: WIDE_EVENTS }, 'kept'],
    after: [{ count: WIDE_EVENTS }, 'read again'],
  },
  'storage.index_batch_events': {
    value: 5,
    beside: NO_INDEX_CLOCK,
    look: (relay) =>
      withClient(relay, async (client) => {
        const unindexed = () =>
          reading(relay, (db) => db.prepare(UNINDEXED).pluck().get()) as number;
        for (let i = 0; i < 30; i++) await client.publish(author.event());
        return unindexed() < 20 ? 'indexed' : 'waiting';
      }),
    before: 'waiting',
    after: 'indexed',
  },
  'storage.checkpoint_pages': {
    value: 100,
    look: (relay) =>
      withClient(relay, async (client) => {
        const walBytes = () => statSync(`${databaseFile(relay.directory)}-wal`).size;
        // The WAL is cut at a commit that finds it checkpointed and no reader in need of it.
        for (let i = 0; i < 25 || (i < 100 && walBytes() > 2_000_000); i++) {
          await client.publish(author.event({ content: unique(100_000) }));
        }
        const size = walBytes();
        return size < 2_000_000 ? 'short' : 'long';
      }),
    before: 'long',
    after: 'short',
  },
  'query.slice_milliseconds': {
    value: 1,
    former: 1000,
    look: (relay) =>
      withClient(relay, async (client) => {
        // Takes longer than a millisecond, and much less than a second.
        client.send(['COUNT', 'long', { '#t': WIDE_TAGS.slice(0, 300) }]);
        client.send(['COUNT', 'short', { ids: [NO_ID] }]);
        const [, first] = await client.next(([verb]) => verb === 'COUNT');
        await client.next(([verb]) => verb === 'COUNT');
        return first;
      }),
    before: 'long',
    after: 'short',
  },
  'query.queries_max': {
    value: 1,
    look: (relay) => withClient(relay, async (client) => (await refusedCounts(client, 50)) > 0),
    before: false,
    after: true,
  },
};

/** Publishes the events that the cases query. */
export function prepareBounds(relay: TestRelay): Promise<void> {
  return withClient(relay, (client) => widen(relay, client));
}

function expectAll(refused: readonly string[]): void {
  if (refused.length > 0) throw new Error(`refused: ${refused.join(', ')}`);
}
