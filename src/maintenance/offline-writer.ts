// Writer for commands that own the database for a while, without a relay.

import { loadLists } from '../access/list-rows.ts';
import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { CheckedEvent } from '../messages/ingester-writer.ts';
import { closeWriter, type Db, markerOf, openWriter, termKey } from '../store/database/open.ts';
import { TermHasher } from '../store/index/terms.ts';
import { EventLog } from '../store/write/event-log.ts';
import { Postings } from '../store/write/postings.ts';
import { EventRules, type Outcome } from '../store/write/rules.ts';
import { Vanish } from '../store/write/vanish.ts';

const INDEX_EVENTS_MIN = 10_000;
/** About 80 MB of memory. */
const INDEX_EVENTS_MAX = 100_000;
/** Checkpoint interval of 64 MB: pages that several commits change are copied back once. */
const CHECKPOINT_PAGES = 16_000;

/** Options of a command that owns the database for a while. */
interface OfflineOptions {
  /** Number of events in one commit. */
  commitEvents: number;
  /**
   * Number of events that the database will have, as far as known, for the filter of stored ids.
   */
  idsExpected: number;
  /** Called after every commit. */
  onCommit?: () => void;
}

/**
 * Writer without a relay: the same log, rules and index, in transactions of any size. It holds the
 * lock of the directory (`store/database/open.ts`) until it is closed.
 *
 * A commit does not wait for the disk here: the command can repeat what a power cut takes. `close`
 * does wait, so what a command reports at its end is true.
 */
export class OfflineWriter {
  readonly db: Db;
  readonly hasher: TermHasher;
  readonly log: EventLog;
  readonly #rules: EventRules;
  readonly #postings: Postings;
  readonly #options: OfflineOptions;
  readonly #begin;
  readonly #commit;
  #uncommitted = 0;

  /** @throws StorageError when the database cannot be opened or another process writes to it. */
  constructor(storage: Config['storage'], clock: Clock, options: OfflineOptions) {
    this.#options = options;
    this.db = openWriter({ ...storage, synchronous: 'normal' });
    this.db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    this.hasher = new TermHasher(termKey(this.db));
    this.log = new EventLog(this.db, this.hasher, options.idsExpected);
    // Knows the vanished keys; only a relay with its configuration knows which relays a request
    // names.
    const vanish = new Vanish(this.db, this.log, this.hasher, clock);
    this.#rules = new EventRules(this.db, this.log, this.hasher, clock, loadLists(this.db), vanish);
    this.#postings = new Postings(this.db, this.log);
    this.#begin = this.db.prepare('BEGIN IMMEDIATE');
    this.#commit = this.db.prepare('COMMIT');
  }

  /**
   * Stores an event by the rules of the writer. It is committed with the next `commit` or sooner.
   */
  store(event: CheckedEvent): Outcome {
    this.#transact();
    const outcome = this.#rules.apply(event);
    if (++this.#uncommitted >= this.#options.commitEvents) this.commit();
    return outcome;
  }

  /** Removes an event by its seq. Returns false if it is gone already. */
  remove(seq: number): boolean {
    this.#transact();
    const removed = this.log.removeSeq(seq);
    if (++this.#uncommitted >= this.#options.commitEvents) this.commit();
    return removed;
  }

  /** Rebuilds the whole index in one transaction: an interruption leaves the old or the new one. */
  rebuildIndex(progress: (seq: number) => void): void {
    this.commit();
    this.#transact();
    this.#postings.rebuild(progress);
    this.commit();
  }

  /** Commits what was stored. The index follows when enough has gathered. */
  commit(): void {
    if (this.log.isTailOf(this.#indexEvents())) {
      this.#transact();
      this.#postings.index();
    }
    if (this.db.inTransaction) this.#commit.run();
    markerOf(this.db).note(this.log.head);
    this.log.removed = [];
    this.#uncommitted = 0;
    this.#options.onCommit?.();
  }

  /** Commits, brings the index up to the log, and leaves one whole file that is on the disk. */
  close(): void {
    while (this.#postings.pending) {
      this.#transact();
      this.#postings.index();
    }
    this.commit();
    this.db.pragma('synchronous = FULL');
    const failure = closeWriter(this.db, true);
    if (failure) throw failure;
  }

  /** Drops what is not committed and closes the database, after a failure. */
  abandon(): void {
    closeWriter(this.db, false);
  }

  /**
   * Number of events that enter the index at once. Each batch dirties nearly every page of a small
   * index and some of a large one, so batches grow with it; and a small batch leaves less for the
   * end, when no other thread has work.
   */
  #indexEvents(): number {
    return Math.min(Math.max(INDEX_EVENTS_MIN, this.log.indexedSeq), INDEX_EVENTS_MAX);
  }

  #transact(): void {
    if (!this.db.inTransaction) this.#begin.run();
  }
}

/**
 * Opens the writer's connection alone, for repairs of a log that cannot be loaded.
 *
 * @throws StorageError when the database cannot be opened or another process writes to it.
 */
export function openForRepair(storage: Config['storage']): Db {
  return openWriter(storage);
}
