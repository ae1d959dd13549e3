// Own events for a comparison with another relay: their ids, read from the database of a relay that
// may be running.

import { setImmediate } from 'node:timers/promises';
import type { Config } from '../config/options.ts';
import { systemClock } from '../lib/clock.ts';
import { ID_BYTES } from '../negentropy/bound.ts';
import { IdSet } from '../negentropy/id-set.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { Filter } from '../protocol/filter.ts';
import { kindsIn } from '../protocol/kind-range.ts';
import { PrivateKinds } from '../protocol/privacy.ts';
import { type Db, openReader, termKey } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import { TermHasher } from '../store/index/terms.ts';
import { select } from '../store/read/select.ts';

/** Number of events read between two turns of the event loop. */
const ROWS = 2_000;

/**
 * Number of events up to which the index is read, which costs some 10 µs each; the whole log costs
 * 1.9 µs for each event that is stored.
 */
const FEW_EVENTS = 20_000;

/** Database that the own events are read from. */
export interface LocalEvents {
  readonly db: Db;
  readonly hasher: TermHasher;
  /** Kinds that no other relay is told of. */
  readonly privateKinds: PrivateKinds;
}

type Row = [seq: number, createdAt: number, kind: number, expiresAt: number | null, id: Buffer];

/** Opens the database of the own relay for reading. @throws StorageError */
export function openLocalEvents({ storage, auth }: Config): LocalEvents {
  const db = openReader(storage);
  const hasher = new TermHasher(termKey(db));
  return { db, hasher, privateKinds: new PrivateKinds(kindsIn(auth.private_kinds)) };
}

/**
 * Reads the ids of the stored events that match a filter and that are not private.
 *
 * @param progress is called with the number of events read so far.
 * @throws what `signal` throws.
 */
export async function readSet(
  events: LocalEvents,
  filter: Filter,
  signal: AbortSignal,
  progress: (events: number) => void,
): Promise<IdSet> {
  const { ids, authors, tags, limit } = filter;
  const isOfLog = ids === null && authors === null && tags.length === 0 && limit === null;
  if (!isOfLog) return readSelected(events, filter, signal, progress);
  // The events of a gap are few: the index finds them without the others.
  const few = filter.since === null ? null : await readFew(events, filter, signal, progress);
  return few ?? readLog(events, filter, signal, progress);
}

/** Reads by the index; returns null if that are more than `FEW_EVENTS`. */
async function readFew(
  events: LocalEvents,
  filter: Filter,
  signal: AbortSignal,
  progress: (events: number) => void,
): Promise<IdSet | null> {
  const set = await readSelected(events, filter, signal, progress, FEW_EVENTS);
  return set.size > FEW_EVENTS ? null : set;
}

/** Reads the log, which is the fastest way to many events. */
async function readLog(
  { db, privateKinds }: LocalEvents,
  { kinds, since, until, matchesNothing }: Filter,
  signal: AbortSignal,
  progress: (events: number) => void,
): Promise<IdSet> {
  const set = new IdSet();
  if (matchesNothing) return set;
  const now = systemClock.seconds();
  const wanted = kinds === null ? null : new Set(kinds);
  const { head } = db.prepare(sql.SELECT_HEADS).get() as { head: number };
  const page = db.prepare(sql.SELECT_SET_EVENTS).raw();
  for (let seq = 0; seq < head; ) {
    const rows = page.all(seq, head, ROWS) as Row[];
    for (const [, createdAt, kind, expiresAt, id] of rows) {
      if (wanted !== null && !wanted.has(kind)) continue;
      if (privateKinds.has(kind) || (expiresAt !== null && expiresAt <= now)) continue;
      if (createdAt < (since ?? 0) || createdAt > (until ?? Number.POSITIVE_INFINITY)) continue;
      set.add(createdAt, id);
    }
    seq = rows.length < ROWS ? head : (rows.at(-1)?.[0] ?? head);
    progress(set.size);
    await setImmediate();
    signal.throwIfAborted();
  }
  return set;
}

async function readSelected(
  { db, hasher, privateKinds }: LocalEvents,
  filter: Filter,
  signal: AbortSignal,
  progress: (events: number) => void,
  most = Number.POSITIVE_INFINITY,
): Promise<IdSet> {
  const set = new IdSet();
  const id = Buffer.alloc(ID_BYTES);
  const nowSeconds = systemClock.seconds();
  const direction = filter.limit === null ? 'upwards' : 'downwards';
  let count = 0;
  for (const { createdAt, kind, json } of select({
    db,
    hasher,
    filters: [filter],
    direction,
    nowSeconds,
  })) {
    if (privateKinds.has(kind)) continue;
    id.write((JSON.parse(json) as NostrEvent).id, 'hex');
    set.add(createdAt, id);
    if (set.size > most) break;
    if (++count % ROWS > 0) continue;
    progress(count);
    await setImmediate();
    signal.throwIfAborted();
  }
  return set;
}

/** Returns the stored events with these ids that are not private, as JSON by id. */
export function eventsByIds(
  { db, hasher, privateKinds }: LocalEvents,
  ids: readonly string[],
): Map<string, string> {
  const none = { authors: null, kinds: null, tags: [], since: null, until: null, limit: null };
  const filters = [{ ...none, ids, matchesNothing: false }];
  const nowSeconds = systemClock.seconds();
  const found = new Map<string, string>();
  for (const { kind, json } of select({ db, hasher, filters, direction: 'upwards', nowSeconds })) {
    if (!privateKinds.has(kind)) found.set((JSON.parse(json) as NostrEvent).id, json);
  }
  return found;
}
