// Keeping of the event tree: loading it from the log, following the writer, and the snapshots that
// sessions use. Owned by the sync worker.

import type { Channel } from '../channel/channel.ts';
import { RecordReader } from '../channel/records.ts';
import { readLogChange } from '../messages/writer-sync.ts';
import type { IdSet } from '../negentropy/id-set.ts';
import type { PrivateKinds } from '../protocol/privacy.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { isReadFailure } from '../store/database/error.ts';
import type { Snapshot } from '../store/read/snapshot.ts';
import type { EventTree } from './event-tree.ts';
import { Snapshots } from './snapshots.ts';

const ENDED: Refusal = 'closed: this relay reads its events anew; send NEG-OPEN again';
const CHANGED: Refusal =
  'closed: too many events changed since this session was opened; send NEG-OPEN again';

interface Options {
  /** Milliseconds of work at once; pauses between are as long. */
  readonly sliceMilliseconds: number;
  /** Bytes that may be copied while a snapshot is in use. */
  readonly copiedBytesMax: number;
  /** Called with the number of events in the tree after each slice of loading. */
  loaded(events: number): void;
  /** Called for the sessions of a snapshot that must end; null: all that have one. */
  ended(base: IdSet | null, why: Refusal): void;
}

/** Keeps the event tree current, and gives snapshots of it to sessions. */
export class TreeFollower {
  copiedBytesMax: number;
  readonly #tree: EventTree;
  readonly #database: Snapshot;
  readonly #options: Options;
  readonly #snapshots = new Snapshots();
  #writer: Channel | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(tree: EventTree, database: Snapshot, options: Options) {
    this.#tree = tree;
    this.#database = database;
    this.#options = options;
    this.copiedBytesMax = options.copiedBytesMax;
  }

  attach(writer: Channel): void {
    this.#writer = writer;
    writer.receive((batch) => this.#follow(new RecordReader(batch)));
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /**
   * Returns a snapshot of the tree for a session, or null while it is not complete.
   *
   * @param now in seconds since 1970: what has expired by then is not in it.
   */
  take(now: number): IdSet | null {
    // Events whose OK was sent before are in it, and none that was removed before an OK.
    this.#writer?.drain();
    return this.#tree.isComplete ? this.#snapshots.take(this.#tree, now) : null;
  }

  release(base: IdSet): void {
    this.#snapshots.release(base);
  }

  /** Loads the tree anew, because other kinds are private now. */
  setPrivateKinds(privateKinds: PrivateKinds): void {
    this.#tree.privateKinds = privateKinds;
    if (!this.#tree.isFollowing) return;
    this.#writer?.drain();
    this.#options.ended(null, ENDED);
    if (entered(this.#database)) this.#tree.begin(this.#database.head);
    else this.#tree.end();
    this.#database.leave();
    this.#loadSoon();
  }

  #follow(reader: RecordReader): void {
    while (reader.more) {
      const change = readLogChange(reader);
      if (change.t === 'added') this.#tree.add(change.event);
      else if (change.t === 'removed') this.#tree.remove(change.createdAt, change.id);
      else {
        this.#options.ended(null, ENDED);
        if (change.t === 'end') this.#tree.end();
        else this.#tree.begin(change.head);
        this.#loadSoon();
      }
    }
    this.#boundSnapshots();
  }

  /** Loads the tree in slices with pauses, because a start has other work, too. */
  #loadSoon(): void {
    if (!this.#tree.isLoading || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (entered(this.#database)) this.#load();
      this.#database.leave();
      this.#loadSoon();
    }, this.#options.sliceMilliseconds);
  }

  #load(): void {
    try {
      this.#tree.load(performance.now() + this.#options.sliceMilliseconds);
    } catch (error) {
      // Without the tree sessions read the index, and report what is damaged.
      if (!isReadFailure(error)) throw error;
      this.#tree.end();
    }
    this.#options.loaded(this.#tree.size);
  }

  /** Ends the sessions of the oldest snapshots while they keep too much memory alive. */
  #boundSnapshots(): void {
    for (;;) {
      const oldest = this.#snapshots.oldest(this.#tree);
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
