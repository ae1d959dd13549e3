// Writer lease of this process. Owned by the writer thread.

import type { Channel } from '../channel/channel.ts';
import type { Credits } from '../channel/credits.ts';
import { RecordOutbox } from '../channel/outbox.ts';
import { RecordReader } from '../channel/records.ts';
import type { Removals } from '../channel/removals.ts';
import type { WriteState } from '../channel/write-state.ts';
import type { Config } from '../config/options.ts';
import { present } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { queuedEvents } from '../lib/message-cost.ts';
import type { Log as Logger } from '../log/log.ts';
import { writeAnswer } from '../messages/answers.ts';
import type { StationName } from '../messages/control.ts';
import { CheckedEvent } from '../messages/ingester-writer.ts';
import { writeLogEnd } from '../messages/writer-sync.ts';
import type { Meter } from '../metrics/meter.ts';
import { okAnswer } from '../protocol/answers.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { openAsSuccessor, openWriter, termKey } from '../store/database/open.ts';
import { TermHasher } from '../store/index/terms.ts';
import { EventLog, type KnownIds } from '../store/write/event-log.ts';
import { FileGuard, type TellTrouble } from './file-guard.ts';
import { Follower } from './follower.ts';
import { Writer } from './writer.ts';

const HANDED_OVER: Refusal =
  'error: this relay is being restarted; reconnect and send the event again';

/** Dependencies that the writer thread provides. */
interface WriterLeaseParts {
  config: Config;
  /** Count of events queued for the writer. */
  queue: Credits;
  removals: Removals;
  /** Set while events cannot be stored. */
  writes: WriteState;
  clock: Clock;
  logger: Logger;
  meter: Meter;
  trouble: TellTrouble;
}

interface Neighbour {
  station: StationName;
  worker: number;
  channel: Channel;
}

/**
 * Writer lease: its holder owns the database. A process that takes over from another starts without
 * it: it reads what it needs from the database, and events for it wait in their queue. It acquires
 * the lease when the other has released it. A process that has released it keeps its clients for a
 * while, sends them the events that the other accepts, and answers their own with an error.
 */
export class WriterLease {
  #parts: WriterLeaseParts;
  #writer: Writer | null = null;
  #ids: KnownIds | null = null;
  #follower: Follower | null = null;
  readonly #linked = new Map<string, Neighbour>();

  /**
   * @throws StorageError when the database cannot be opened; on standby also when it is of another
   *   schema.
   */
  constructor(parts: WriterLeaseParts, standby: boolean) {
    this.#parts = parts;
    if (!standby) {
      this.#startWriter();
      return;
    }
    const db = openAsSuccessor(parts.config.storage);
    const log = new EventLog(db, new TermHasher(termKey(db)));
    this.#ids = { memory: log.idFilterMemory, upTo: log.head };
    db.close();
  }

  /** Memory of the filter of stored ids, for the ingesters. */
  get idFilterMemory(): SharedArrayBuffer {
    return present(this.#ids, 'filter of stored ids').memory;
  }

  attach(station: StationName, worker: number, channel: Channel): void {
    const linkedWorker = { station, worker, channel };
    this.#linked.set(`${station}:${worker}`, linkedWorker);
    if (this.#writer) this.#writer.attach(station, worker, channel);
    else if (this.#follower) this.#attachWithoutLease(linkedWorker);
  }

  reconfigure(config: Config): void {
    this.#parts = { ...this.#parts, config };
    this.#writer?.reconfigure(config);
  }

  /** Acquires the database; queued events are handled next. @throws StorageError */
  own(): void {
    this.#follower?.stop();
    this.#follower = null;
    if (this.#writer === null) this.#startWriter();
  }

  /** Commits and answers what is queued, then releases the database. */
  release(): void {
    if (this.#writer === null) return;
    const { head } = this.#writer;
    this.#ids = { memory: this.idFilterMemory, upTo: head };
    this.#writer.stop(true);
    this.#writer = null;
    // Removals by the successor are not reported here: from now on the query workers ask the log.
    this.#parts.removals.add(1);
    this.#follower = new Follower(this.#parts.config.storage, head);
    for (const linkedWorker of this.#linked.values()) this.#attachWithoutLease(linkedWorker);
  }

  async stop(): Promise<void> {
    this.#follower?.stop();
    await this.#writer?.rescue();
    this.#writer?.stop();
  }

  #startWriter(): void {
    const { config, queue, removals, writes, clock, logger, meter, trouble } = this.#parts;
    const db = openWriter(config.storage);
    const hasher = new TermHasher(termKey(db));
    const writer = new Writer(
      config,
      db,
      hasher,
      queue,
      removals,
      writes,
      clock,
      logger,
      meter,
      new FileGuard(db, config.storage.directory, logger, meter, trouble),
      this.#ids ?? undefined,
    );
    this.#writer = writer;
    this.#ids = { memory: writer.idFilterMemory, upTo: writer.head };
    for (const { station, worker, channel } of this.#linked.values()) {
      writer.attach(station, worker, channel);
    }
  }

  /** Connects a worker while another process owns the database. */
  #attachWithoutLease({ station, channel }: Neighbour): void {
    if (station === 'monitor') this.#follower?.attachMonitor(channel);
    if (station === 'io') this.#follower?.attachIo(channel);
    if (station === 'sync') {
      const outbox = new RecordOutbox(channel);
      writeLogEnd(outbox.records);
      outbox.flush();
    }
    if (station !== 'ingester') return;
    channel.receive((batch) => {
      const io = this.#linked.get('io:0');
      if (io === undefined) return;
      const outbox = new RecordOutbox(io.channel);
      const reader = new RecordReader(batch);
      let events = 0;
      while (reader.more) {
        const { connId, id, cost } = new CheckedEvent(reader);
        events += queuedEvents(cost);
        if (connId === 0) continue;
        writeAnswer(outbox.records, connId, cost, okAnswer(id, false, HANDED_OVER));
      }
      this.#parts.queue.release(events);
      outbox.flush();
    });
  }
}
