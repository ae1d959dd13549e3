// Follower of the log after a handover to another process. Runs on the writer thread.

import type { Channel } from '../channel/channel.ts';
import { RecordOutbox } from '../channel/outbox.ts';
import type { Config } from '../config/options.ts';
import { writeVanished } from '../messages/answers.ts';
import { writeAcceptedSeq, writeHead } from '../messages/writer-monitor.ts';
import { KIND_VANISH } from '../protocol/kinds.ts';
import { BodyMaker, idOf, jsonOf, type StoredBody } from '../store/body/body.ts';
import { type Db, openReader, termKey } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import { TermHasher } from '../store/index/terms.ts';
import { writeInternalEvent } from './internal-event.ts';

const LOOK_MILLISECONDS = 100;
const EVENTS_A_LOOK_MAX = 500;
/** Number of requests to vanish that are watched at the same time. */
const VANISHING_MAX = 1_000;

/**
 * Reads the events that another process adds to the log and sends them to the monitor worker, so
 * that subscriptions of the remaining clients go on. (Ephemeral events are in no log; clients miss
 * those.) Keys that vanish there (NIP-62) vanish here as soon as it is seen.
 */
export class Follower {
  readonly #db: Db;
  readonly #hasher: TermHasher;
  readonly #log;
  readonly #vanished;
  /** Not packed, because the monitor worker sends them. */
  readonly #bodies = new BodyMaker(false);
  readonly #timer: NodeJS.Timeout;
  #head: number;
  #monitor: RecordOutbox | null = null;
  #io: RecordOutbox | null = null;
  /** Ids of requests to vanish that may not be carried out yet. */
  readonly #vanishing = new Set<string>();

  /** @param head is the seq of the last event that the monitor worker has received. */
  constructor(storage: Config['storage'], head: number) {
    this.#db = openReader(storage);
    this.#hasher = new TermHasher(termKey(this.#db));
    this.#log = this.#db.prepare(sql.SELECT_LOG);
    this.#vanished = this.#db.prepare(sql.SELECT_VANISH_REQUEST);
    const undone = this.#db.prepare(sql.SELECT_VANISH_REQUESTS).all(VANISHING_MAX);
    for (const { id } of undone as { id: string }[]) this.#vanishing.add(id);
    this.#head = head;
    this.#timer = setInterval(() => this.#look(), LOOK_MILLISECONDS);
  }

  attachIo(io: Channel): void {
    this.#io = new RecordOutbox(io);
  }

  attachMonitor(monitor: Channel): void {
    this.#monitor = new RecordOutbox(monitor);
    writeHead(this.#monitor.records, this.#head);
    this.#monitor.flush();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#db.close();
  }

  #look(): void {
    this.#lookForEvents();
    this.#lookForVanished();
  }

  /** Has io end everything in flight of a vanished key; the OK comes from the other process. */
  #lookForVanished(): void {
    if (this.#io === null) return;
    for (const id of this.#vanishing) {
      const row = this.#vanished.get(id) as
        | { pubkey: string; until: number; done_at: number | null }
        | undefined;
      if (row !== undefined && row.done_at === null) continue;
      this.#vanishing.delete(id);
      if (row === undefined) continue;
      const { pubkey, until } = row;
      writeVanished(this.#io.records, { pubkey, until, removed: true }, []);
    }
    this.#io.flush();
  }

  #lookForEvents(): void {
    if (this.#monitor === null) return;
    const rows = this.#log.all(this.#head, Number.MAX_SAFE_INTEGER, EVENTS_A_LOOK_MAX) as {
      seq: number;
      kind: number;
      json: StoredBody;
    }[];
    if (rows.length === 0) return;
    const { records } = this.#monitor;
    writeHead(records, this.#head);
    for (const { seq, kind, json } of rows) {
      if (kind === KIND_VANISH && this.#vanishing.size < VANISHING_MAX) {
        this.#vanishing.add(idOf(json));
      }
      writeAcceptedSeq(records, seq);
      writeInternalEvent(records, jsonOf(json), this.#hasher, this.#bodies);
      this.#head = seq;
    }
    this.#monitor.flush();
  }
}
