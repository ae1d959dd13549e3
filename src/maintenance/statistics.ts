// Numbers of stored events and bytes by kind, author or day, for `wok stats`. The database is read
// beside a running relay, in slices.

import { setImmediate } from 'node:timers/promises';
import type { Filter } from '../protocol/filter.ts';
import { pubkeyOf, type StoredBody } from '../store/body/body.ts';
import { type Group, type GroupKey, GroupTable } from '../store/database/group-table.ts';
import { type Db, termKey } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import { TermHasher } from '../store/index/terms.ts';
import { look, type Selected } from '../store/read/select.ts';

/** Properties of events that `wok stats` groups by; a day is one of `created_at`, in UTC. */
export const groupings = ['kind', 'author', 'day'] as const;

export type Grouping = (typeof groupings)[number];

/** Number of seqs of the log that one statement reads, in a snapshot of its own. */
const SLICE = 5_000;
/** Number of index entries that are read between two turns of the event loop. */
const ENTRIES_A_TURN = 1_000;
const SECONDS_A_DAY = 86_400;

const OF_LOG: Readonly<Record<Grouping, string>> = {
  kind: sql.SELECT_GROUPS_BY_KIND,
  author: sql.SELECT_GROUPS_BY_AUTHOR,
  day: sql.SELECT_GROUPS_BY_DAY,
};

const KEY_OF: Readonly<Record<Grouping, (event: Selected) => GroupKey>> = {
  kind: ({ kind }) => kind,
  author: ({ body }) => pubkeyOf(body),
  day: ({ createdAt }) => Math.floor(createdAt / SECONDS_A_DAY),
};

/** Options of `groupEvents`. */
export interface StatisticsOptions {
  by: Grouping;
  filters: readonly Filter[];
  signal: AbortSignal;
  /** Called after each slice; `total` is 0 where it is not known. */
  progress: (done: number, total: number) => void;
}

/**
 * Counts the stored events that match, expired ones included, by group. It counts the events of the
 * moment at which it begins, less those that are removed before it comes to them, and holds no
 * snapshot longer than a slice. The caller closes the table.
 *
 * Groups are numbers of kinds, public keys in hex, and numbers of days since 1970-01-01.
 *
 * @throws StorageError; what `signal` throws.
 */
export async function groupEvents(db: Db, options: StatisticsOptions): Promise<GroupTable> {
  const table = new GroupTable();
  try {
    const counting = options.filters.some(isUnconditional) ? countLog : countSelected;
    await counting(db, table, options);
    return table;
  } catch (error) {
    table.close();
    throw error;
  }
}

/** Counts all events, in the order of the log. */
async function countLog(
  db: Db,
  table: GroupTable,
  { by, signal, progress }: StatisticsOptions,
): Promise<void> {
  const { head } = db.prepare(sql.SELECT_HEADS).get() as { head: number };
  const groups = db.prepare(OF_LOG[by]);
  for (let seq = 0; seq < head; seq += SLICE) {
    const last = Math.min(seq + SLICE, head);
    table.add(groups.all(seq, last) as Group[]);
    progress(last, head);
    // Signals are handled between two turns of the event loop.
    await setImmediate();
    signal.throwIfAborted();
  }
}

/** Counts the events that match filters, found by the index. */
async function countSelected(
  db: Db,
  table: GroupTable,
  { by, filters, signal, progress }: StatisticsOptions,
): Promise<void> {
  const hasher = new TermHasher(termKey(db));
  // A limit of a filter selects its newest events.
  const selection = { db, hasher, filters, direction: 'downwards' as const, nowSeconds: null };
  const keyOf = KEY_OF[by];
  const slice = new Map<GroupKey, Group>();
  const flush = () => {
    table.add(slice.values());
    slice.clear();
  };
  let count = 0;
  for (const { selected } of look(selection)) {
    if (selected !== null) {
      const key = keyOf(selected);
      const group = slice.get(key) ?? { key, events: 0, bytes: 0 };
      group.events++;
      group.bytes += bytesOf(selected.body);
      slice.set(key, group);
    }
    if (++count % ENTRIES_A_TURN !== 0) continue;
    flush();
    progress(count, 0);
    await setImmediate();
    signal.throwIfAborted();
  }
  flush();
}

function bytesOf(body: StoredBody): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
}

/** Returns true if a filter selects all events. */
function isUnconditional({ ids, authors, kinds, tags, since, until, ...rest }: Filter): boolean {
  return (
    [ids, authors, kinds, since, until, rest.limit].every((one) => one === null) &&
    tags.length === 0 &&
    !rest.matchesNothing
  );
}
