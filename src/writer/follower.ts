import type { Config } from '../config/options.ts';
import type { Channel } from '../mailbox/channel.ts';
import { RecordOutbox } from '../mailbox/outbox.ts';
import { writeHead } from '../messages.ts';
import { BodyMaker, jsonOf, type StoredBody } from '../storage/body.ts';
import { type Db, openReader, termKey } from '../storage/open.ts';
import * as sql from '../storage/sql.ts';
import { TermHasher } from '../storage/terms.ts';
import { writeUnsentEvent } from './unsent.ts';

const LOOK_MILLISECONDS = 100;
const EVENTS_A_LOOK_MAX = 500;

/**
 * Reads what another process adds to the log and gives it to monitor, so that subscriptions of the
 * clients that are still here go on. (Ephemeral events stand in no log; those they miss.)
 */
export class Follower {
  readonly #db: Db;
  readonly #hasher: TermHasher;
  readonly #log;
  /** Monitor sends them, so they are not packed. */
  readonly #bodies = new BodyMaker(false);
  readonly #timer: NodeJS.Timeout;
  #head: number;
  #monitor: RecordOutbox | null = null;

  /** `head`: the last event that monitor has been given. */
  constructor(storage: Config['storage'], head: number) {
    this.#db = openReader(storage);
    this.#hasher = new TermHasher(termKey(this.#db));
    this.#log = this.#db.prepare(sql.SELECT_LOG);
    this.#head = head;
    this.#timer = setInterval(() => this.#look(), LOOK_MILLISECONDS);
  }

  attach(monitor: Channel): void {
    this.#monitor = new RecordOutbox(monitor);
    writeHead(this.#monitor.records, this.#head);
    this.#monitor.flush();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#db.close();
  }

  #look(): void {
    if (this.#monitor === null) return;
    const rows = this.#log.all(this.#head, Number.MAX_SAFE_INTEGER, EVENTS_A_LOOK_MAX) as {
      seq: number;
      json: StoredBody;
    }[];
    if (rows.length === 0) return;
    const { records } = this.#monitor;
    writeHead(records, this.#head);
    for (const { seq, json } of rows) {
      records.f64(seq);
      writeUnsentEvent(records, jsonOf(json), this.#hasher, this.#bodies);
      this.#head = seq;
    }
    this.#monitor.flush();
  }
}
