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
  /** Other settings, the same before and after. */
  readonly beside?: Settings;
  readonly look: (relay: TestRelay) => Promise<unknown>;
  readonly before: unknown;
  readonly after: unknown;
}

const author = new Author();
/** Settings that a relay needs from its start so that the effects below are visible. */
export const BOUND_BASE: Settings = {
  'io.connections_per_ip_max': 0,
  // Without a cache every query reads from disk again.
  'query.cache_bytes': 0,
};
const KIB = 1024;
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
};

/** Publishes the events that the cases query. */
export function prepareBounds(relay: TestRelay): Promise<void> {
  return withClient(relay, (client) => widen(relay, client));
}
