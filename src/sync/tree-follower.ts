// Keeping of the event trees: loading them from the log, following the writer, and the snapshots
// that sessions use. Owned by the sync worker.

import type { Channel } from '../channel/channel.ts';
import { RecordReader } from '../channel/records.ts';
import type { TreeSize } from '../messages/admin-sync.ts';
import { readLogChange } from '../messages/writer-sync.ts';
import type { IdSet } from '../negentropy/id-set.ts';
import type { Filter } from '../protocol/filter.ts';
import { conditionsKey, parseConditions } from '../protocol/filter-text.ts';
import type { PrivateKinds } from '../protocol/privacy.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { isReadFailure } from '../store/database/error.ts';
import type { Db } from '../store/database/open.ts';
import type { Snapshot } from '../store/read/snapshot.ts';
import { EventTree } from './event-tree.ts';
import { Snapshots } from './snapshots.ts';

const ENDED: Refusal = 'closed: this relay reads its events anew; send NEG-OPEN again';
const CHANGED: Refusal =
  'closed: too many events changed since this session was opened; send NEG-OPEN again';

interface Options {
  /** Milliseconds of work at once; pauses between are as long. */
  readonly sliceMilliseconds: number;
  /** Bytes that may be copied while a snapshot is in use. */
  readonly copiedBytesMax: number;
  /** Called with the number of events in all trees after each slice of loading. */
  loaded(events: number): void;
  /** Called for the sessions of a snapshot that must end; null: all that have one. */
  ended(base: IdSet | null, why: Refusal): void;
}

/** Tree with the snapshots of it that are in use. */
interface Kept {
  readonly tree: EventTree;
  readonly snapshots: Snapshots;
}

/**
 * Keeps a tree of all events and trees of filters current, and gives snapshots of them to sessions.
 */
export class TreeFollower {
  copiedBytesMax: number;
  readonly #all: Kept;
  /** Trees of filters by `conditionsKey`, with the filter as it was given. */
  readonly #filtered = new Map<string, Kept & { readonly filter: string }>();
  readonly #db: Db;
  readonly #database: Snapshot;
  readonly #options: Options;
  #privateKinds: PrivateKinds;
  #writer: Channel | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** True if the log may have events that the trees of filters have not looked at. */
  #isBehind = false;

  constructor(db: Db, database: Snapshot, privateKinds: PrivateKinds, options: Options) {
    this.#db = db;
    this.#database = database;
    this.#privateKinds = privateKinds;
    this.#options = options;
    this.copiedBytesMax = options.copiedBytesMax;
    this.#all = { tree: new EventTree(db, privateKinds), snapshots: new Snapshots() };
  }

  /** True if there are trees of filters. */
  get hasFilters(): boolean {
    return this.#filtered.size > 0;
  }

  get sizes(): TreeSize[] {
    const sizeOf = (filter: string, { tree }: Kept) => {
      return { filter, events: tree.size, isComplete: tree.isComplete };
    };
    const filtered = [...this.#filtered.values()].map((kept) => sizeOf(kept.filter, kept));
    return [sizeOf('', this.#all), ...filtered];
  }

  /** Keeps trees of these filters, and no others; those that there are go on. */
  setFilters(filters: readonly string[]): void {
    const wanted = new Map<string, { text: string; filter: Filter }>();
    for (const text of filters) {
      const filter = parseConditions(text);
      if (filter !== undefined) wanted.set(conditionsKey(filter), { text, filter });
    }
    for (const key of this.#filtered.keys()) if (!wanted.has(key)) this.#filtered.delete(key);
    for (const [key, { text, filter }] of wanted) {
      if (this.#filtered.has(key)) continue;
      const tree = new EventTree(this.#db, this.#privateKinds, filter);
      this.#filtered.set(key, { filter: text, tree, snapshots: new Snapshots() });
      if (this.#all.tree.isFollowing) tree.begin(0);
    }
    this.#catchUpSoon();
  }

  /** Loads a tree of a filter anew; returns false if there is none. */
  rebuild(filter: Filter): boolean {
    const kept = this.#filtered.get(conditionsKey(filter));
    if (kept === undefined) return false;
    if (kept.tree.isFollowing) kept.tree.begin(0);
    this.#catchUpSoon();
    return true;
  }

  attach(writer: Channel): void {
    this.#writer = writer;
    writer.receive((batch) => this.#follow(new RecordReader(batch)));
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /**
   * Has the trees of filters follow the log up to the snapshot of the database, which was begun
   * since the last records of the writer were read: else an event that they report as removed would
   * be loaded again.
   */
  catchUp(): void {
    if (this.#filtered.size === 0) return;
    this.#extend();
    this.#load();
    this.#catchUpSoon();
  }

  /**
   * Returns a snapshot of the tree of a filter for a session, or null if there is none, or while it
   * is not complete.
   *
   * @param key `conditionsKey` of the filter.
   * @param now in seconds since 1970: what has expired by then is not in it.
   */
  take(key: string, now: number): IdSet | null {
    // Events whose OK was sent before are in it, and none that was removed before an OK.
    this.#writer?.drain();
    const kept = key === '' ? this.#all : this.#filtered.get(key);
    return kept?.tree.isComplete ? kept.snapshots.take(kept.tree, now) : null;
  }

  release(base: IdSet): void {
    for (const { snapshots } of this.#kept()) snapshots.release(base);
  }

  *#kept(): Generator<Kept> {
    yield this.#all;
    yield* this.#filtered.values();
  }

  /** Loads the trees anew, because other kinds are private now. */
  setPrivateKinds(privateKinds: PrivateKinds): void {
    this.#privateKinds = privateKinds;
    for (const { tree } of this.#kept()) tree.privateKinds = privateKinds;
    if (!this.#all.tree.isFollowing) return;
    this.#writer?.drain();
    this.#options.ended(null, ENDED);
    const isReadable = entered(this.#database);
    for (const { tree } of this.#kept()) {
      if (isReadable) tree.begin(this.#database.head);
      else tree.end();
    }
    this.#database.leave();
    this.#loadSoon();
  }

  #follow(reader: RecordReader): void {
    let isBehind = false;
    while (reader.more) {
      const change = readLogChange(reader);
      if (change.t === 'added') {
        this.#all.tree.add(change.event);
        isBehind = true;
      } else if (change.t === 'removed') {
        for (const { tree } of this.#kept()) tree.remove(change.createdAt, change.id);
      } else {
        this.#options.ended(null, ENDED);
        for (const { tree } of this.#kept()) {
          if (change.t === 'end') tree.end();
          else tree.begin(change.head);
        }
        this.#loadSoon();
      }
    }
    if (isBehind && this.#filtered.size > 0) this.#catchUpSoon();
    for (const { tree, snapshots } of this.#kept()) this.#boundSnapshots(tree, snapshots);
  }

  /** Has the trees of filters load what is new in the log. */
  #catchUpSoon(): void {
    this.#isBehind = true;
    this.#loadSoon();
  }

  #extend(): void {
    for (const { tree } of this.#filtered.values()) tree.extend(this.#database.head);
    this.#isBehind = false;
  }

  get #isLoading(): boolean {
    if (this.#all.tree.isLoading || (this.#isBehind && this.#filtered.size > 0)) return true;
    return [...this.#filtered.values()].some(({ tree }) => tree.isLoading);
  }

  /** Loads the trees in slices with pauses, because a start has other work, too. */
  #loadSoon(): void {
    if (this.#timer !== null || !this.#isLoading) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (entered(this.#database)) {
        this.#extend();
        this.#load();
      }
      this.#database.leave();
      this.#loadSoon();
    }, this.#options.sliceMilliseconds);
  }

  /** Loads for a slice, the tree of all events first. */
  #load(): void {
    const end = performance.now() + this.#options.sliceMilliseconds;
    let events = 0;
    for (const { tree } of this.#kept()) {
      try {
        tree.load(end);
      } catch (error) {
        // Without the tree sessions read the index, and report what is damaged.
        if (!isReadFailure(error)) throw error;
        tree.end();
      }
      events += tree.size;
    }
    this.#options.loaded(events);
  }

  /** Ends the sessions of the oldest snapshots while they keep too much memory alive. */
  #boundSnapshots(tree: EventTree, snapshots: Snapshots): void {
    for (;;) {
      const oldest = snapshots.oldest(tree);
      if (oldest === null || oldest.bytes <= this.copiedBytesMax) return;
      this.#options.ended(oldest.set, CHANGED);
    }
  }
}

/**
 * Begins a snapshot of the database; returns false if it cannot be read. `leave` has to follow in
 * both cases.
 */
export function entered(database: Snapshot): boolean {
  try {
    database.enter();
    return true;
  } catch (error) {
    if (!isReadFailure(error)) throw error;
    return false;
  }
}
