// Station sync: the worker thread that answers negentropy sessions (NIP-77). It owns their state
// and a read-only database connection.

import type { Channel } from '../channel/channel.ts';
import { MessageInbox, MessageOutbox, RecordOutbox } from '../channel/outbox.ts';
import { UnpackedFilter } from '../channel/packed-filters.ts';
import { RecordReader } from '../channel/records.ts';
import type { Removals } from '../channel/removals.ts';
import type { Config } from '../config/options.ts';
import { present } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { Turns } from '../lib/turns.ts';
import type { ToSync, TreesMessage } from '../messages/admin-sync.ts';
import { writeAnswer } from '../messages/answers.ts';
import type { StationName } from '../messages/control.ts';
import { readSyncRequest, type SyncRequest } from '../messages/ingester-sync.ts';
import type { IdSet } from '../negentropy/id-set.ts';
import { MessageError } from '../negentropy/message.ts';
import { type MessageLimits, Reply } from '../negentropy/reconciliation.ts';
import type { ReadBudget } from '../policy/rates/read-budget.ts';
import { negErrorAnswer, negMessageAnswer } from '../protocol/answers.ts';
import { conditionsKey, parseConditions } from '../protocol/filter-text.ts';
import { kindsIn } from '../protocol/kind-range.ts';
import { PrivateKinds } from '../protocol/privacy.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { isReadFailure } from '../store/database/error.ts';
import { type Db, tuneReader } from '../store/database/open.ts';
import type { TermHasher } from '../store/index/terms.ts';
import { Snapshot } from '../store/read/snapshot.ts';
import { TailIndex } from '../store/read/tail-index.ts';
import { Session, SyncAddress, SyncConnection, type Task } from './session.ts';
import { readerOf, type SetSource } from './set-reader.ts';
import { SyncMemory } from './sync-memory.ts';
import type { SyncMeter } from './sync-meter.ts';
import { entered, TreeFollower } from './tree-follower.ts';

/** Number of rows read between two checks of the clock. */
const ROWS_A_LOOK = 400;
/** Cost of a turn beside what it reads, of a range, and of 32 bytes of an answer, in rows. */
const TURN_ROWS = 100;
const RANGE_ROWS = 20;
const BYTES_A_ROW = 32;
/** Memory for stored events and posting lists: each is read once. */
const CACHE_BYTES = 1024 * 1024;
/** Pause between two slices: a flood of sync messages leaves a third of a processor to others. */
const PAUSE_MILLISECONDS = 5;
/** Interval of the search for idle sessions, and of the sizes that the admin worker is told. */
const LOOK_MILLISECONDS = 1_000;

const NO_SESSION: Refusal = 'closed: there is no open session with this id; send NEG-OPEN';
const KEY_REMOVED: Refusal = 'closed: a key of this connection was banned; send NEG-OPEN again';
const NO_MEMORY: Refusal =
  'rate-limited: the sync sessions of this address use too much of the free sync memory of this relay; NEG-CLOSE some first';
const TOO_FAST: Refusal =
  'rate-limited: too many sync messages of this address wait for an answer; send NEG-OPEN again later';
const UNREADABLE: Refusal = 'error: this relay could not read its database; try again later';

/**
 * Answers negentropy sessions. Station sync, one thread.
 *
 * In: checked NEG-OPEN, NEG-MSG and NEG-CLOSE of the ingester workers. Out: NEG-MSG and NEG-ERR to
 * io. Bounds: `negentropy.sessions_max` sessions a connection, `negentropy.items_max` events a
 * session, `negentropy.memory_bytes_max` for all, 8 MiB of waiting messages. Work is done in
 * slices, which the addresses share, and is charged to their read budgets. If the thread dies,
 * connections with unanswered messages are closed with 1012, and it is started again without
 * sessions.
 */
export class Sync {
  #config: Config;
  #limits: MessageLimits;
  readonly #db: Db;
  readonly #snapshot: Snapshot;
  readonly #source: SetSource;
  readonly #clock: Clock;
  readonly #reads: ReadBudget;
  readonly #meter: SyncMeter;
  readonly #memory: SyncMemory;
  readonly #turns = new Turns<SyncConnection, SyncAddress>((name) => new SyncAddress(name));
  readonly #connections = new Map<number, SyncConnection>();
  readonly #ingesters = new Set<number>();
  readonly #trees: TreeFollower;
  /** Filters of trees that were added at run time. */
  #addedFilters: readonly string[] = [];
  readonly #lookTimer: NodeJS.Timeout;
  #io: RecordOutbox | null = null;
  #admin: MessageOutbox<TreesMessage> | null = null;
  #sessions = 0;
  #scheduled = false;
  #isStopped = false;

  constructor(
    config: Config,
    db: Db,
    hasher: TermHasher,
    removals: Removals,
    clock: Clock,
    reads: ReadBudget,
    meter: SyncMeter,
  ) {
    this.#config = config;
    this.#limits = limitsOf(config);
    this.#db = db;
    this.#clock = clock;
    this.#reads = reads;
    this.#meter = meter;
    this.#memory = new SyncMemory(config.negentropy.memory_bytes_max);
    this.#snapshot = new Snapshot(db, hasher, new TailIndex(0), () => clock.seconds(), {
      removals,
      cacheBytes: CACHE_BYTES,
    });
    this.#snapshot.load();
    const privateKinds = new PrivateKinds(kindsIn(config.auth.private_kinds));
    this.#source = { snapshot: this.#snapshot, hasher, privateKinds };
    this.#trees = new TreeFollower(db, this.#snapshot, privateKinds, {
      sliceMilliseconds: config.negentropy.slice_milliseconds,
      copiedBytesMax: config.negentropy.memory_bytes_max,
      loaded: (events) => this.#meter.tree(events),
      ended: (base, why) => this.#endOfTree(base, why),
    });
    this.#setFilters();
    this.#lookTimer = setInterval(() => this.#look(), LOOK_MILLISECONDS);
  }

  attach(station: StationName, worker: number, channel: Channel): void {
    if (station === 'io') this.#io = new RecordOutbox(channel);
    else if (station === 'writer') {
      this.#trees.attach(channel);
    } else if (station === 'admin') {
      this.#attachAdmin(channel);
    } else if (station === 'ingester') {
      if (this.#ingesters.has(worker)) this.#forgetWorker(worker);
      this.#ingesters.add(worker);
      channel.receive((batch) => {
        const reader = new RecordReader(batch);
        while (reader.more) this.#request(readSyncRequest(reader));
      });
    }
  }

  #attachAdmin(channel: Channel): void {
    this.#admin = new MessageOutbox<TreesMessage>(channel);
    const inbox = new MessageInbox<ToSync>();
    channel.receive((batch) => {
      for (const message of inbox.read(batch)) {
        if (message.t === 'filters') {
          this.#addedFilters = message.filters;
          this.#setFilters();
        } else {
          const filter = parseConditions(message.filter);
          if (filter !== undefined) this.#trees.rebuild(filter);
        }
      }
      this.#tellTrees();
    });
  }

  /** Tells the admin worker the sizes of the trees. */
  #tellTrees(): void {
    this.#admin?.send({ trees: this.#trees.sizes });
    this.#admin?.flush();
  }

  reconfigure(config: Config): void {
    const before = this.#config;
    this.#config = config;
    if (String(before.auth.private_kinds) !== String(config.auth.private_kinds)) {
      this.#source.privateKinds = new PrivateKinds(kindsIn(config.auth.private_kinds));
      this.#trees.setPrivateKinds(this.#source.privateKinds);
    }
    this.#limits = limitsOf(config);
    this.#memory.max = config.negentropy.memory_bytes_max;
    this.#trees.copiedBytesMax = config.negentropy.memory_bytes_max;
    this.#setFilters();
    this.#reads.reconfigure(config);
    tuneReader(this.#db, config.storage);
  }

  #setFilters(): void {
    const { filters, trees_max: most } = this.#config.negentropy;
    this.#trees.setFilters([...filters, ...this.#addedFilters].slice(0, most));
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#lookTimer);
    this.#trees.stop();
    this.#db.close();
  }

  /** Ends the sessions of a snapshot of the event tree; null: of all of them. */
  #endOfTree(base: IdSet | null, why: Refusal): void {
    for (const connection of this.#connections.values()) {
      for (const session of [...connection.sessions.values()]) {
        if (session.base === null || (base !== null && session.base !== base)) continue;
        this.#refuse(connection.connId, session.subId, 0, why);
        this.#end(connection, session);
      }
    }
  }

  #request(request: SyncRequest): void {
    switch (request.t) {
      case 'open':
        this.#open(request);
        break;
      case 'message':
        this.#message(request);
        break;
      case 'close':
        this.#close(request.connId, request.subId);
        break;
      case 'auth':
        this.#authenticated(request.connId, request.readers);
        break;
      case 'disconnect':
        this.#disconnect(request.connId);
        break;
    }
  }

  /** Opens a session; its set is read when its turn comes. One with the same id ends. */
  #open(request: SyncRequest & { t: 'open' }): void {
    const { connId, subId, readers, arrivedAt, cost } = request;
    const connection = this.#connection(request);
    connection.readers = readers;
    const { address, network } = request;
    connection.quotaOwner = address === 0 ? null : this.#reads.quotaOwner(address, network);
    if (connection.quotaOwner !== null) connection.quotaOwner.keys = this.#reads.keysOf(readers);
    this.#close(connId, subId);
    const max = this.#config.negentropy.sessions_max;
    if (connection.sessions.size >= max) {
      const why: Refusal = `rate-limited: too many sync sessions, the limit is ${max} per connection; NEG-CLOSE one first`;
      this.#refuse(connId, subId, cost, why);
      return;
    }
    const message = Buffer.from(request.message);
    if (!this.#memory.wait(connection.address, message)) {
      this.#refuse(connId, subId, cost, TOO_FAST);
      return;
    }
    const filter = new UnpackedFilter(new RecordReader(Buffer.from(request.filter)));
    const session = new Session(subId, filter, this.#clock.milliseconds());
    if (!this.#memory.hold(connection.address, session, 0)) {
      this.#memory.answered(connection.address, message);
      this.#refuse(connId, subId, cost, NO_MEMORY);
      return;
    }
    connection.sessions.set(subId, session);
    this.#sessions++;
    this.#meter.opened();
    this.#add(connection, { session, message, cost, arrivedAt, readers });
  }

  #message({ connId, subId, message, arrivedAt, cost }: SyncRequest & { t: 'message' }): void {
    const connection = this.#connections.get(connId);
    const session = connection?.sessions.get(subId);
    if (connection === undefined || session === undefined) {
      this.#refuse(connId, subId, cost, NO_SESSION);
      return;
    }
    session.usedAt = this.#clock.milliseconds();
    const kept = Buffer.from(message);
    if (!this.#memory.wait(connection.address, kept)) {
      this.#refuse(connId, subId, cost, TOO_FAST);
      this.#end(connection, session);
      return;
    }
    this.#add(connection, { session, message: kept, cost, arrivedAt, readers: null });
  }

  #close(connId: number, subId: string): void {
    const connection = this.#connections.get(connId);
    const session = connection?.sessions.get(subId);
    if (connection !== undefined && session !== undefined) this.#end(connection, session);
  }

  /**
   * Reads the events that the new keys may read into the open sessions. A key that was taken away
   * ends them.
   */
  #authenticated(connId: number, readers: readonly string[]): void {
    const connection = this.#connections.get(connId);
    if (connection === undefined) return;
    const isReduced = !connection.readers.every((reader) => readers.includes(reader));
    connection.readers = readers;
    if (connection.quotaOwner !== null) connection.quotaOwner.keys = this.#reads.keysOf(readers);
    for (const session of [...connection.sessions.values()]) {
      if (isReduced) {
        this.#refuse(connId, session.subId, 0, KEY_REMOVED);
        this.#end(connection, session);
      } else if (this.#source.privateKinds.mayHide(session.filter, session.readers ?? [])) {
        this.#add(connection, { session, message: null, cost: 0, arrivedAt: 0, readers });
      }
    }
  }

  #disconnect(connId: number): void {
    const connection = this.#connections.get(connId);
    if (connection === undefined) return;
    for (const session of [...connection.sessions.values()]) this.#end(connection, session);
    connection.isClosed = true;
    this.#connections.delete(connId);
    this.#turns.leave(connection.address);
  }

  /** Disconnects the clients of an ingester worker that died; io has closed them. */
  #forgetWorker(worker: number): void {
    for (const connId of [...this.#connections.keys()]) {
      if (connId % this.#ingesters.size === worker) this.#disconnect(connId);
    }
  }

  #look(): void {
    this.#endIdle();
    this.#tellTrees();
  }

  /** Ends sessions whose client has sent nothing for `negentropy.idle_seconds`. */
  #endIdle(): void {
    const seconds = this.#config.negentropy.idle_seconds;
    const before = this.#clock.milliseconds() - seconds * 1000;
    for (const connection of this.#connections.values()) {
      if (connection.tasks.size > 0) continue;
      for (const session of [...connection.sessions.values()]) {
        if (session.usedAt > before) continue;
        const why: Refusal = `closed: nothing was sent in this session for ${seconds} seconds`;
        this.#refuse(connection.connId, session.subId, 0, why);
        this.#end(connection, session);
      }
    }
    this.#flush();
  }

  #connection({ connId, name }: SyncRequest & { t: 'open' }): SyncConnection {
    let connection = this.#connections.get(connId);
    if (connection === undefined) {
      connection = new SyncConnection(connId, this.#turns.enter(name));
      this.#connections.set(connId, connection);
    }
    return connection;
  }

  #end(connection: SyncConnection, session: Session): void {
    session.isOver = true;
    this.#memory.release(connection.address, session);
    if (session.base !== null) this.#trees.release(session.base);
    connection.sessions.delete(session.subId);
    this.#sessions--;
  }

  #add(connection: SyncConnection, task: Omit<Task, 'reader' | 'reply'>): void {
    connection.tasks.push({ ...task, reader: null, reply: null });
    this.#turns.wait(connection);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    if (this.#isStopped) return;
    const hasMore = this.#slice();
    if (hasMore) setTimeout(() => this.#run(), PAUSE_MILLISECONDS);
    else this.#scheduled = false;
  }

  /** Works for one slice; returns true if more is waiting. */
  #slice(): boolean {
    const end = performance.now() + this.#config.negentropy.slice_milliseconds;
    const isReadable = entered(this.#snapshot);
    if (isReadable) this.#trees.catchUp();
    let connection: SyncConnection | undefined;
    try {
      do {
        connection = this.#turns.take();
        if (connection === undefined) break;
        const rows = this.#turn(connection, isReadable, end);
        if (connection.quotaOwner !== null) this.#reads.charge(connection.quotaOwner, rows, 0);
        this.#turns.charge(connection, rows + TURN_ROWS);
        this.#io?.flush();
        // Answers are larger than messages: io sends these first.
      } while (performance.now() < end && this.#io?.isCongested !== true);
    } finally {
      this.#snapshot.leave();
    }
    this.#flush();
    return connection !== undefined;
  }

  /** Works on the first task of a connection until `end`; returns its cost in rows. */
  #turn(connection: SyncConnection, isReadable: boolean, end: number): number {
    const task = present(connection.tasks.first, 'task of a connection that takes its turn');
    const { session } = task;
    const done = (frame: string): void => {
      connection.tasks.shift();
      if (task.message !== null) this.#memory.answered(connection.address, task.message);
      if (connection.isClosed) return;
      if (frame !== '' || task.cost > 0) this.#send(connection.connId, task.cost, frame);
    };
    if (session.isOver) {
      done('');
      return 0;
    }
    const refuse = (why: Refusal, max?: number): void => {
      this.#meter.refused(session.readers === null ? 'NEG-OPEN' : 'NEG-MSG', why);
      done(negErrorAnswer(session.subId, why, max));
      this.#end(connection, session);
    };
    const { quotaOwner } = connection;
    if (quotaOwner !== null && this.#reads.quotaState(quotaOwner) === 'none') {
      refuse(this.#reads.refusal(quotaOwner));
      return 0;
    }
    if (!isReadable) {
      refuse(UNREADABLE);
      return 0;
    }
    const budget = { rows: 0, spent: 0 };
    try {
      const why = this.#read(connection, task, budget, end);
      if (why === 'again') return budget.spent;
      if (why !== null) {
        const { items_max: max } = this.#config.negentropy;
        refuse(why, why.startsWith('blocked:') ? max : undefined);
        return budget.spent;
      }
    } catch (error) {
      if (!isReadFailure(error)) throw error;
      refuse(UNREADABLE);
      return budget.spent;
    }
    return budget.spent + this.#reply(connection, task, done, refuse, end);
  }

  /**
   * Reads the set of a session for the pubkeys of a task. Returns null when it is complete, `again`
   * at the end of the turn, or the reason why the session cannot go on.
   */
  #read(
    connection: SyncConnection,
    task: Task,
    budget: { rows: number; spent: number },
    end: number,
  ): Refusal | 'again' | null {
    const { session, readers } = task;
    if (readers === null) return null;
    if (session.readers === null && task.reader === null) session.base = this.#baseOf(session);
    task.reader ??= readerOf(session, readers, this.#source);
    const { reader } = task;
    const { items_max: max } = this.#config.negentropy;
    for (;;) {
      budget.rows = ROWS_A_LOOK;
      const isComplete = reader.step(budget);
      budget.spent += ROWS_A_LOOK - budget.rows;
      if (reader.items > max)
        return `blocked: this query matches too many events, more than ${max}; narrow it by since and until`;
      if (!this.#memory.hold(connection.address, session, reader.items)) return NO_MEMORY;
      if (isComplete) break;
      if (performance.now() >= end) return 'again';
    }
    this.#meter.read(reader.items);
    session.wasRead(readers);
    task.reader = null;
    return null;
  }

  /** Returns a snapshot of the tree of a session's filter, or null if there is none. */
  #baseOf(session: Session): IdSet | null {
    if (session.isOfAll) return this.#trees.take('', this.#clock.seconds());
    if (!this.#trees.hasFilters || !session.mayBeInTree) return null;
    return this.#trees.take(conditionsKey(session.filter), this.#clock.seconds());
  }

  #reply(
    connection: SyncConnection,
    task: Task,
    done: (frame: string) => void,
    refuse: (why: Refusal) => void,
    end: number,
  ): number {
    const { session, message } = task;
    if (message === null) {
      done('');
      return 0;
    }
    try {
      task.reply ??= new Reply(session.selection, message, this.#limits);
      const before = task.reply.ranges;
      const answer = task.reply.run(end);
      const rows = (task.reply.ranges - before) * RANGE_ROWS;
      if (answer === null) return rows;
      done(negMessageAnswer(session.subId, answer));
      if (connection.quotaOwner !== null)
        this.#reads.charge(connection.quotaOwner, 0, answer.length * 2);
      session.usedAt = this.#clock.milliseconds();
      this.#meter.answered(task.arrivedAt);
      return rows + answer.length / BYTES_A_ROW;
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      refuse(`invalid: the negentropy message is malformed: ${error.message}`);
      return RANGE_ROWS;
    }
  }

  #refuse(connId: number, subId: string, cost: number, why: Refusal): void {
    this.#meter.refused('NEG-OPEN', why);
    this.#send(connId, cost, negErrorAnswer(subId, why));
  }

  #send(connId: number, cost: number, frame: string): void {
    const io = present(this.#io, 'channel to io');
    writeAnswer(io.records, connId, cost, frame);
    io.schedule();
  }

  #flush(): void {
    this.#meter.sliceEnds(this.#sessions, this.#memory.used);
    this.#io?.flush();
  }
}

function limitsOf({ negentropy }: Config): MessageLimits {
  return { bytes: negentropy.frame_bytes_max, ranges: negentropy.ranges_max };
}
