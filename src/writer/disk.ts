import type { Log as Logger } from '../lib/log.ts';
import type { WriteState, WriteTrouble } from '../mailbox/write-state.ts';
import type { Refusal } from '../protocol/refusal.ts';

/** After a failure the disk is asked again no sooner than this. */
const PAUSE_MILLISECONDS = 1_000;
/** A trouble that lasts is said again this often. */
const REPEAT_MILLISECONDS = 60_000;

interface Trouble {
  /** For /health. */
  name: WriteTrouble;
  /** For the log. */
  what: string;
  /** For whoever sent an event. */
  refusal: Refusal;
}

const LATER: Refusal = 'error: the event could not be stored; try again later';

/** By the beginning of SQLite's code: SQLITE_IOERR stands for SQLITE_IOERR_WRITE, too. */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  SQLITE_FULL: {
    name: 'the disk is full',
    what: 'the disk is full: new events are refused until there is room again, stored ones are served',
    refusal: 'error: the disk of this relay is full; the event was not stored',
  },
  SQLITE_IOERR: {
    name: 'the disk fails',
    what: 'the disk fails: new events are refused; see the kernel log',
    refusal: LATER,
  },
  SQLITE_READONLY: {
    name: 'the database is read-only',
    what: 'the database is read-only: new events are refused; was the file system mounted anew?',
    refusal: LATER,
  },
  SQLITE_BUSY: {
    name: 'another process holds the database',
    what: 'another process holds the database: new events are refused until it lets go',
    refusal: LATER,
  },
  SQLITE_CORRUPT: {
    name: 'the database is damaged',
    what: 'the database is damaged: new events are refused; stop the relay and run wok doctor',
    refusal: LATER,
  },
};

/**
 * Whether the disk takes what the writer has. While it does not, events are refused at once and the
 * disk is asked again every second; the log hears of it when it begins, every minute, and at the end.
 */
export class Disk {
  readonly #logger: Logger;
  readonly #writes: WriteState | null;
  #trouble: Trouble | null = null;
  #since = 0;
  #saidAt = 0;
  #askAgainAt = 0;
  #refused = 0;

  /** @param writes is told of a trouble as long as it lasts. */
  constructor(logger: Logger, writes: WriteState | null = null) {
    this.#logger = logger;
    this.#writes = writes;
  }

  /** True from a failure until an event is stored or there is room again. */
  get isFailing(): boolean {
    return this.#trouble !== null;
  }

  /** Why events are refused at this moment (in milliseconds), or null when they may be tried. */
  refusal(now: number): Refusal | null {
    if (this.#trouble === null || now >= this.#askAgainAt) return null;
    return this.#trouble.refusal;
  }

  /** A transaction failed at this moment. */
  failed(error: Error & { code?: string }, now: number): Refusal {
    const { code = '' } = error;
    const isCutOff = code === 'SQLITE_IOERR_SHORT_READ';
    const trouble = TROUBLES[isCutOff ? 'SQLITE_CORRUPT' : code.split('_', 2).join('_')];
    if (trouble === undefined) {
      this.#logger.error('a transaction failed and was rolled back', { error: String(error) });
      return LATER;
    }
    this.#askAgainAt = now + PAUSE_MILLISECONDS;
    if (this.#trouble === null) this.#since = now;
    if (this.#trouble !== trouble || now - this.#saidAt >= REPEAT_MILLISECONDS) {
      this.#logger.error(trouble.what, { error: error.message, refused: this.#refused });
      this.#saidAt = now;
    }
    this.#trouble = trouble;
    if (this.#writes) this.#writes.trouble = trouble.name;
    return trouble.refusal;
  }

  /** So many events were refused for it. */
  count(events: number): void {
    this.#refused += events;
  }

  /** An event was stored, or there is room again. */
  worked(now: number): void {
    if (this.#trouble === null) return;
    const seconds = Math.round((now - this.#since) / 1000);
    this.#logger.warn('the database takes events again', { refused: this.#refused, seconds });
    this.#trouble = null;
    if (this.#writes) this.#writes.trouble = '';
    this.#refused = 0;
  }
}
