// The writer: commits events in batches, answers them and distributes them. Runs on a thread of its
// own, which owns all tables.

import { statfsSync } from 'node:fs';
import { loadLists } from '../access/list-rows.ts';
import type { Channel } from '../channel/channel.ts';
import type { Credits } from '../channel/credits.ts';
import { RecordOutbox } from '../channel/outbox.ts';
import { RecordReader } from '../channel/records.ts';
import type { Removals } from '../channel/removals.ts';
import type { WriteState } from '../channel/write-state.ts';
import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import { queuedEvents } from '../lib/message-cost.ts';
import { RecentIds } from '../lib/recent-ids.ts';
import type { Log as Logger } from '../log/log.ts';
import { writeAnswer } from '../messages/answers.ts';
import type { StationName } from '../messages/control.ts';
import type { CheckedEvent } from '../messages/ingester-writer.ts';
import { writeAcceptedEvent, writeHead, writeRemovedEvent } from '../messages/writer-monitor.ts';
import { writeAcceptedHead, writeAcceptedTerms } from '../messages/writer-query.ts';
import { writeAdded, writeLogBegin, writeRemoved } from '../messages/writer-sync.ts';
import type { Meter } from '../metrics/meter.ts';
import { Quarantine } from '../moderation/quarantine-rows.ts';
import { Reports } from '../moderation/report-rows.ts';
import { RejectionReporter } from '../policy/rejection-log.ts';
import { okAnswer } from '../protocol/answers.ts';
import { kindClass } from '../protocol/kinds.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { BodyMaker } from '../store/body/body.ts';
import { type Db, tuneWriter } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import type { StoredEvent } from '../store/event.ts';
import type { TermHasher } from '../store/index/terms.ts';
import {
  EventLog,
  type KnownIds,
  noRemovals,
  type RemovedEvent,
} from '../store/write/event-log.ts';
import { GiftWrapQuota } from '../store/write/gift-wrap-quota.ts';
import { Postings } from '../store/write/postings.ts';
import type { Removal } from '../store/write/removal.ts';
import { EventRules } from '../store/write/rules.ts';
import { type Awaited, Vanish, type Vanished } from '../store/write/vanish.ts';
import { ChangeExecutor } from './change-executor.ts';
import { Disk } from './disk.ts';
import { EventQueue } from './event-queue.ts';
import type { FileGuard } from './file-guard.ts';
import { internalEventBatch } from './internal-event.ts';
import { VanishAnswers } from './vanish-answers.ts';
import { WriterMeter } from './writer-meter.ts';

/** Ephemeral event ids that are remembered, so that an event sent twice is delivered once. */
const EPHEMERAL_IDS_MAX = 10_000;
/** Interval of write probes after a failure, and the disk space that has to be free for one. */
const TRY_AGAIN_MILLISECONDS = 1_000;
const TRY_AGAIN_BYTES_FREE = 1024 * 1024;
/** Postings written with one commit: some 6 ms. */
const POSTINGS_A_COMMIT = 4_000;
/** An index batch is this share of the log, up to a multiple of its least size. */
const LOG_BATCHES = 50;
const BATCH_GROWTH_MAX = 4;
/** Expired events removed in one transaction. */
const PURGE_MAX = 500;
/** Pause after a failure to remove events of a vanished key; it doubles up to the maximum. */
const VANISH_AGAIN_MILLISECONDS = 1_000;
const VANISH_AGAIN_MILLISECONDS_MAX = 600_000;

/** Reasons recorded for events that are removed by the rules of the log. */
const REMOVED: Readonly<Record<Exclude<Removal, 'vanished'>, string>> = {
  replaced: 'replaced by a newer version',
  deleted: 'deleted by its author',
  expired: 'expired (NIP-40)',
  other: 'removed',
};
/** Value in place of a seq. */
const QUARANTINED = -2;
const HELD = 'this event is held in quarantine until a moderator of this relay has reviewed it';

interface Answered {
  event: CheckedEvent;
  accepted: boolean;
  message: string;
  /** Seq in the log, 0 for an ephemeral event, -1 for one that goes no further, or QUARANTINED. */
  seq: number;
  /** Condition that the OK to a request to vanish waits for. */
  awaited?: Awaited | null;
}

/** Reason why a transaction was rolled back, and the answer to its events. */
interface Failure {
  error: Error;
  refusal: Refusal;
}

/**
 * Writer, one thread: the only one that writes to the database.
 *
 * In: validated events of all ingester workers, changes that the admin worker requests. Out: OKs to
 * io, accepted events in seq order to the monitor worker and (their terms) to every query worker.
 * Everything that has queued up during the last commit becomes one transaction. Bound:
 * `writer.queue_events_max`, counted by the ingesters, which answer `rate-limited:` beyond it. A
 * failing transaction answers `error:` to each of its events and changes nothing; if this thread
 * dies, the process ends and is started again by its supervisor.
 */
export class Writer {
  #config: Config;
  readonly #db: Db;
  readonly #hasher: TermHasher;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #disk: Disk;
  readonly #files: FileGuard;
  readonly #log: EventLog;
  readonly #rules: EventRules;
  readonly #vanish: Vanish;
  readonly #giftWraps: GiftWrapQuota;
  readonly #vanishAnswers = new VanishAnswers();
  #vanishSoon: NodeJS.Immediate | null = null;
  /** Time of the next attempt after failures, and the pause after the next failure. */
  #vanishAgainAt = 0;
  #vanishPause = VANISH_AGAIN_MILLISECONDS;
  #stopping = false;
  readonly #postings: Postings;
  readonly #changeExecutor: ChangeExecutor;
  readonly #rejections: RejectionReporter;
  readonly #reports: Reports;
  readonly #queue: Credits;
  readonly #quarantine: Quarantine;
  readonly #meter: WriterMeter;
  readonly #removals: Removals;
  /** Maker of bodies of the relay's own events. */
  readonly #bodies: BodyMaker;
  readonly #begin;
  readonly #commit;
  readonly #rollback;
  readonly #expired;
  readonly #probe;
  readonly #ephemeral = new RecentIds(EPHEMERAL_IDS_MAX);
  readonly #waiting = new EventQueue();
  readonly #queries = new Map<number, RecordOutbox>();
  #io: RecordOutbox | null = null;
  #monitor: RecordOutbox | null = null;
  #sync: RecordOutbox | null = null;
  #scheduled = false;
  /** True if a transaction was rolled back and the state in memory was not reloaded since. */
  #stale = false;
  #lastBatchAt = 0;
  #timers: NodeJS.Timeout[] = [];
  #purgeSoon: NodeJS.Immediate | null = null;
  #indexSoon: NodeJS.Immediate | null = null;
  /** Events removed by the last transaction that removed any. */
  #justRemoved: readonly RemovedEvent[] = [];

  constructor(
    config: Config,
    db: Db,
    hasher: TermHasher,
    queue: Credits,
    removals: Removals,
    writes: WriteState | null,
    clock: Clock,
    logger: Logger,
    meter: Meter,
    files: FileGuard,
    knownIds?: KnownIds,
  ) {
    this.#meter = new WriterMeter(meter);
    this.#config = config;
    this.#db = db;
    this.#hasher = hasher;
    this.#queue = queue;
    this.#removals = removals;
    this.#bodies = new BodyMaker(config.storage.pack_bodies);
    this.#clock = clock;
    this.#logger = logger;
    this.#disk = new Disk(logger, writes);
    this.#files = files;
    this.#log = new EventLog(db, hasher, 0, knownIds);
    const lists = loadLists(db);
    this.#reports = new Reports(config, db, this.#log, lists, hasher);
    this.#vanish = new Vanish(db, this.#log, hasher, clock);
    this.#vanish.reconfigure(config);
    this.#giftWraps = new GiftWrapQuota(db, this.#log, hasher, clock);
    this.#giftWraps.reconfigure(config);
    this.#rules = new EventRules(
      db,
      this.#log,
      hasher,
      clock,
      lists,
      this.#vanish,
      this.#reports,
      this.#giftWraps,
    );
    this.#postings = new Postings(db, this.#log);
    const submit = (json: string) => this.#submit(json);
    const transact = (work: () => void) => this.#transact(work)?.error ?? null;
    const { decisions_per_second_max: perSecond } = config.moderation;
    this.#rejections = new RejectionReporter(perSecond, () => clock.seconds());
    const rejections = this.#rejections;
    this.#quarantine = new Quarantine(config, db);
    const quarantine = this.#quarantine;
    const log = this.#log;
    this.#changeExecutor = new ChangeExecutor({
      db,
      log,
      lists,
      rejections,
      quarantine,
      transact,
      submit,
    });
    this.#log.onRemoved = (event, reason) => this.#noteRemoval(event, reason);
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
    this.#expired = db.prepare(sql.SELECT_EXPIRED).pluck();
    this.#probe = db.prepare(sql.UPSERT_META);
    this.#index();
    this.#setTimers();
    this.#scheduleVanishSlice();
  }

  reconfigure(config: Config): void {
    this.#config = config;
    this.#reports.reconfigure(config);
    this.#vanish.reconfigure(config);
    this.#giftWraps.reconfigure(config);
    tuneWriter(this.#db, config.storage);
  }

  /** Memory of the filter of stored ids, for the ingesters. */
  get idFilterMemory(): SharedArrayBuffer {
    return this.#log.idFilterMemory;
  }

  /** Last seq that was given out. */
  get head(): number {
    return this.#log.head;
  }

  attach(station: StationName, worker: number, channel: Channel): void {
    if (station === 'io') this.#io = new RecordOutbox(channel);
    else if (station === 'monitor') {
      this.#monitor = new RecordOutbox(channel);
      writeHead(this.#monitor.records, this.#log.head);
      this.#monitor.flush();
    } else if (station === 'sync') {
      // Quiet: sync reads its channel before it makes a snapshot.
      this.#sync = new RecordOutbox(channel, undefined, true);
      writeLogBegin(this.#sync.records, this.#log.head);
      this.#sync.flush();
      channel.wakePeer();
    } else if (station === 'query') {
      // Quiet: a query worker reads its channel when a slice begins.
      const outbox = new RecordOutbox(channel, undefined, true);
      this.#queries.set(worker, outbox);
      writeAcceptedHead(outbox.records, this.#log.indexedSeq, this.#removals.count, []);
      outbox.flush();
    } else if (station === 'admin') this.#changeExecutor.attach(channel);
    else if (station === 'ingester') {
      channel.receive((batch) => {
        this.#waiting.add(new RecordReader(batch));
        this.#schedule();
      });
    }
  }

  /** Resolves when committed data is saved from a loss of database files. */
  rescue(): Promise<void> {
    return this.#files.finish();
  }

  /**
   * Finishes what is queued, indexes the tail and closes the database; without a checkpoint for a
   * `successor`, which would wait for readers then.
   */
  stop(successor = false): void {
    this.#stopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#purgeSoon) clearImmediate(this.#purgeSoon);
    if (this.#indexSoon) clearImmediate(this.#indexSoon);
    if (this.#vanishSoon) clearImmediate(this.#vanishSoon);
    while (!this.#waiting.isEmpty) this.#drain();
    this.#changeExecutor.stop();
    while (!this.#waiting.isEmpty) this.#drain();
    if (this.#io) {
      this.#vanishAnswers.giveUp(this.#io.records, successor ? 'restarted' : 'stopped');
      this.#io.flush();
    }
    this.#index();
    const failure = this.#files.close(!successor && this.#config.storage.checkpoint_pages > 0);
    // On a full disk the write-ahead log stays where it is; nothing in it is lost.
    if (failure !== null) this.#disk.failed(failure, this.#clock.milliseconds());
  }

  #setTimers(): void {
    for (const timer of this.#timers) clearInterval(timer);
    const { storage, writer } = this.#config;
    this.#timers = [
      setInterval(() => this.#indexWhenIdle(), storage.index_delay_milliseconds),
      setInterval(() => this.#purge(), writer.expired_purge_seconds * 1000),
      setInterval(() => this.#purgeQuarantine(), writer.expired_purge_seconds * 1000),
      setInterval(() => this.#tryAgain(), TRY_AGAIN_MILLISECONDS),
      setInterval(() => this.#scheduleVanishSlice(), VANISH_AGAIN_MILLISECONDS),
    ];
  }

  /**
   * Probes the disk: as long as /health reports the failure, a load balancer may send no clients.
   */
  #tryAgain(): void {
    if (!this.#disk.isFailing || this.#disk.refusal(this.#clock.milliseconds()) !== null) return;
    const { bavail, bsize } = statfsSync(this.#config.storage.directory);
    if (bavail * bsize < TRY_AGAIN_BYTES_FREE) return;
    const failure = this.#transact(() => this.#probe.run('write_probe', this.#clock.seconds()));
    if (failure === null) this.#disk.worked(this.#clock.milliseconds());
  }

  /** Queues an event that the relay itself has signed, or one from quarantine. */
  #submit(json: string): void {
    this.#queue.add(1);
    this.#waiting.add(internalEventBatch(json, this.#hasher, this.#bodies));
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#drain();
      if (!this.#waiting.isEmpty) this.#schedule();
    });
  }

  /** Runs one transaction for what is queued, then sends its answers. */
  #drain(): void {
    const events = this.#waiting.take(this.#config.writer.batch_events_max);
    if (events.length === 0) return;
    const head = this.#log.head;
    this.#log.now = this.#clock.seconds();
    this.#meter.batchBegins(events);
    const answered = this.#store(events);
    this.#queue.release(events.reduce((sum, { cost }) => sum + queuedEvents(cost), 0));
    this.#lastBatchAt = this.#clock.milliseconds();
    this.#meter.batchEnds(events, this.#log.head, this.#log.indexedSeq);
    this.#answer(answered, head);
    this.#scheduleVanishSlice();
  }

  #store(events: readonly CheckedEvent[]): Answered[] {
    let answered: Answered[] = [];
    const refusal =
      this.#disk.refusal(this.#clock.milliseconds()) ??
      this.#transact(() => {
        for (const event of events) {
          const one = this.#apply(event);
          if (one.accepted) one.awaited = this.#vanish.awaited(event);
          answered.push(one);
        }
        if (this.#postings.underWay || this.#log.isTailOf(this.#indexBatch())) {
          this.#movePostings(POSTINGS_A_COMMIT);
        }
      })?.refusal;
    if (refusal !== undefined) {
      this.#disk.count(events.filter((event) => !isEphemeral(event)).length);
      answered = events.map((event) =>
        isEphemeral(event) ? this.#applyEphemeral(event) : failed(event, refusal),
      );
      for (const { event, message } of answered) {
        if (!isEphemeral(event)) this.#rejections.note(event, 'refused', 'storage', message);
      }
    }
    // Ephemeral events have no part in the transaction, and their ids are remembered once.
    return answered.map((one) => (one.seq === 0 ? this.#pass(one) : one));
  }

  /** Handles an ephemeral event while nothing can be stored. */
  #applyEphemeral(event: CheckedEvent): Answered {
    try {
      return this.#apply(event);
    } catch (error) {
      return failed(event, this.#disk.failed(error as Error, this.#clock.milliseconds()));
    }
  }

  #apply(event: CheckedEvent): Answered {
    if (event.held !== '') return this.#hold(event);
    const outcome = isEphemeral(event) ? this.#rules.evaluate(event) : this.#rules.apply(event);
    if (outcome === null) return { event, accepted: true, message: '', seq: 0 };
    if (outcome.t === 'stored') {
      if (this.#quarantine.has(event.id)) this.#quarantine.drop(event.id);
      return { event, accepted: true, message: '', seq: outcome.seq };
    }
    const { message } = outcome;
    if (outcome.t === 'refused') this.#rejections.note(event, 'refused', outcome.rule, message);
    return { event, accepted: outcome.t === 'duplicate', message, seq: -1 };
  }

  #noteRemoval({ id, pubkey }: StoredEvent, reason: Removal): void {
    // A vanished key leaves nothing but its request (NIP-62).
    if (reason === 'vanished') return;
    const why = this.#changeExecutor.removedBy ?? { rule: reason, by: '', text: REMOVED[reason] };
    this.#rejections.note({ id, pubkey }, 'removed', why.rule, why.text, why.by);
  }

  /** Quarantines an event that looks like spam, unless it may not be stored anyway. */
  #hold(event: CheckedEvent): Answered {
    const outcome = this.#rules.known(event) ?? this.#rules.evaluate(event);
    if (outcome !== null && outcome.t !== 'stored') {
      const accepted = outcome.t === 'duplicate';
      return { event, accepted, message: outcome.message, seq: -1 };
    }
    this.#quarantine.hold(event, event.held, this.#clock.seconds());
    return { event, accepted: true, message: HELD, seq: QUARANTINED };
  }

  #pass(answered: Answered): Answered {
    if (this.#ephemeral.add(answered.event.id)) return answered;
    const message = 'duplicate: this ephemeral event was delivered already';
    return { ...answered, message, seq: -1 };
  }

  #answer(answered: readonly Answered[], head: number): void {
    if (this.#monitor) writeHead(this.#monitor.records, head);
    for (const one of answered) {
      const { event, accepted, message, seq } = one;
      this.#reply(one);
      this.#meter.answered(event, seq, accepted, message);
      if (seq >= 0 && this.#monitor) writeAcceptedEvent(this.#monitor.records, seq, event);
    }
    // Events that were stored and removed in the same commit.
    if (this.#monitor) {
      for (const { seq } of this.#justRemoved) {
        if (seq > head) writeRemovedEvent(this.#monitor.records, seq);
      }
    }
    if (this.#sync !== null) this.#tellSync(this.#sync, answered);
    this.#justRemoved = [];
    this.#io?.flush();
    this.#monitor?.flush();
    for (const outbox of this.#queries.values()) {
      writeAcceptedHead(outbox.records, this.#log.indexedSeq, this.#removals.count, []);
      for (const { seq, event } of answered) {
        if (seq > 0) writeAcceptedTerms(outbox.records, seq, event);
      }
      outbox.flush();
    }
    if (this.#io === null) return;
    this.#vanishAnswers.writeReady(this.#io.records);
    if (this.#vanishPaused) this.#vanishAnswers.giveUp(this.#io.records, 'failed');
    this.#io.flush();
  }

  /** Tells sync of stored events, before their OKs are sent. */
  #tellSync(sync: RecordOutbox, answered: readonly Answered[]): void {
    const removed = new Set(this.#justRemoved.map(({ seq }) => seq));
    for (const { seq, event } of answered) {
      if (seq <= 0 || removed.has(seq)) continue;
      const { createdAt, kind, expiresAt, idBytes } = event;
      writeAdded(sync.records, createdAt, kind, expiresAt, idBytes);
    }
    sync.flush();
  }

  #reply({ event, accepted, message, awaited = null }: Answered): void {
    const { connId, id, cost } = event;
    if (this.#io === null || connId === 0) return;
    const { records } = this.#io;
    if (awaited !== null) this.#vanishAnswers.take(records, event, { message, awaited });
    else writeAnswer(records, connId, cost, okAnswer(id, accepted, message));
  }

  /** Runs work in a transaction. A failure rolls all of it back and is returned. */
  #transact(work: () => void): Failure | null {
    const refusal = this.#files.refusal();
    if (refusal !== null) {
      this.#meter.failed();
      return { error: new Error(refusal), refusal };
    }
    const begunAt = performance.now();
    const { head } = this.#log;
    try {
      if (this.#stale) this.#reload();
      this.#begin.run();
      work();
      const { removed } = this.#log;
      this.#removals.add(removed.length);
      const committingAt = performance.now();
      this.#commit.run();
      this.#files.committed(this.#log.head);
      this.#meter.transacted(begunAt, committingAt);
      this.#meter.removed(this.#log.removedFor);
      this.#log.removedFor = noRemovals();
      if (removed.length > 0) this.#tellRemoved(removed);
      // A commit that fits on a full disk, like a step of the index, says nothing about events.
      if (this.#log.head > head) this.#disk.worked(this.#clock.milliseconds());
      return null;
    } catch (error) {
      return this.#failed(error as Error);
    }
  }

  #failed(error: Error): Failure {
    this.#stale = true;
    try {
      if (this.#db.inTransaction) this.#rollback.run();
      this.#reload();
    } catch {
      // The next transaction reads again what cannot be read now, or fails as well.
    }
    this.#meter.failed();
    return { error, refusal: this.#disk.failed(error, this.#clock.milliseconds()) };
  }

  /** Reloads the state in memory. @throws what SQLite throws. */
  #reload(): void {
    this.#log.load();
    this.#postings.reset();
    this.#vanish.reset();
    this.#quarantine.load();
    this.#stale = false;
  }

  /**
   * Announces removals to the query and monitor workers, which keep bodies, before the removal is
   * answered.
   */
  #tellRemoved(events: readonly RemovedEvent[]): void {
    this.#log.removed = [];
    const seqs = events.map(({ seq }) => seq);
    for (const { records } of this.#queries.values()) {
      writeAcceptedHead(records, this.#log.indexedSeq, this.#removals.count, seqs);
    }
    for (const outbox of this.#queries.values()) outbox.flush();
    this.#justRemoved = events;
    if (this.#sync !== null) {
      for (const { createdAt, id } of events) {
        writeRemoved(this.#sync.records, createdAt, Buffer.from(id, 'hex'));
      }
      this.#sync.flush();
    }
    if (this.#monitor === null) return;
    writeHead(this.#monitor.records, this.#log.head);
    for (const seq of seqs) writeRemovedEvent(this.#monitor.records, seq);
    this.#monitor.flush();
  }

  #index(): void {
    if (this.#postings.pending) this.#transact(() => this.#postings.index());
    this.#meter.log(this.#log.head, this.#log.indexedSeq);
  }

  /** Writes some postings. Returns true if there are more of their batch. */
  #movePostings(rows: number): boolean {
    const begunAt = performance.now();
    const more = this.#postings.step(rows);
    this.#meter.indexed(begunAt);
    return more;
  }

  /**
   * Number of events at which the tail is indexed. It grows with the log, because the same postings
   * lie on more pages then. At 300,000 events batches of 10,000 wrote 13 kB an event, of 2,000 31
   * kB.
   */
  #indexBatch(): number {
    const { index_batch_events: least } = this.#config.storage;
    return Math.max(least, Math.min(this.#log.head / LOG_BATCHES, least * BATCH_GROWTH_MAX));
  }

  #indexWhenIdle(): void {
    const idleFor = this.#clock.milliseconds() - this.#lastBatchAt;
    if (idleFor >= this.#config.storage.index_delay_milliseconds && this.#waiting.isEmpty) {
      this.#indexSlowly();
    }
  }

  /** Indexes the tail in steps, and handles new events between them. */
  #indexSlowly(): void {
    if (!this.#postings.pending || this.#indexSoon !== null) return;
    let more = false;
    const failure = this.#transact(() => {
      more = this.#movePostings(POSTINGS_A_COMMIT);
    });
    this.#meter.log(this.#log.head, this.#log.indexedSeq);
    if (!more || failure) return;
    this.#indexSoon = setImmediate(() => {
      this.#indexSoon = null;
      this.#indexSlowly();
    });
  }

  /** True if removing events of vanished keys has failed and is not to be tried again yet. */
  get #vanishPaused(): boolean {
    return this.#clock.milliseconds() < this.#vanishAgainAt;
  }

  #scheduleVanishSlice(): void {
    if (!this.#vanish.pending || this.#vanishSoon !== null || this.#stopping) return;
    if (this.#vanishPaused) return;
    this.#vanishSoon = setImmediate(() => {
      this.#vanishSoon = null;
      this.#runVanishSlice();
    });
  }

  /** Removes one slice of the events of vanished keys (NIP-62). */
  #runVanishSlice(): void {
    let done: Vanished | null = null;
    const failure = this.#transact(() => {
      done = this.#vanish.slice();
    });
    if (failure) this.#vanishingFailed();
    else {
      this.#vanishPause = VANISH_AGAIN_MILLISECONDS;
      if (done !== null) this.#vanished(done);
      this.#scheduleVanishSlice();
    }
  }

  /** Answers the waiting requests with an error; the removal goes on after a pause. */
  #vanishingFailed(): void {
    this.#vanishAgainAt = this.#clock.milliseconds() + this.#vanishPause;
    this.#vanishPause = Math.min(this.#vanishPause * 2, VANISH_AGAIN_MILLISECONDS_MAX);
    if (this.#io === null) return;
    this.#vanishAnswers.giveUp(this.#io.records, 'failed');
    this.#io.flush();
  }

  #vanished(done: Vanished): void {
    this.#logger.info('request to vanish completed', { ...done });
    if (this.#io === null) return;
    this.#vanishAnswers.writeVanished(this.#io.records, done);
    this.#io.flush();
  }

  /** Removes events whose expiration has passed (NIP-40); until then queries leave them out. */
  #purge(): void {
    const seqs = this.#read(() => this.#expired.all(this.#clock.seconds(), PURGE_MAX) as number[]);
    if (seqs.length === 0) return;
    const failure = this.#transact(() => {
      for (const seq of seqs) this.#log.removeSeq(seq, 'expired');
    });
    if (failure) return;
    this.#logger.debug('expired events removed', { events: seqs.length });
    if (seqs.length === PURGE_MAX) this.#purgeSoon = setImmediate(() => this.#purge());
  }

  /** Reads rows for a background task, or none if their pages cannot be read, which is logged. */
  #read<Row>(read: () => Row[]): Row[] {
    try {
      return read();
    } catch (error) {
      this.#disk.failed(error as Error, this.#clock.milliseconds());
      return [];
    }
  }

  #purgeQuarantine(): void {
    const ids = this.#read(() => this.#quarantine.outdated(this.#clock.seconds()));
    if (ids.length === 0) return;
    this.#transact(() => {
      for (const id of ids) this.#quarantine.drop(id);
    });
  }
}

function isEphemeral(event: CheckedEvent): boolean {
  return kindClass(event.kind) === 'ephemeral';
}

function failed(event: CheckedEvent, message: Refusal): Answered {
  return { event, accepted: false, message, seq: -1 };
}
