// State of the disk as the writer sees it. Owned by the writer thread.

import type { WriteState, WriteTrouble } from '../channel/write-state.ts';
import type { Log as Logger } from '../log/log.ts';
import type { Refusal } from '../protocol/refusal.ts';

/** Least time between a failure and the next attempt to write. */
const PAUSE_MILLISECONDS = 1_000;
/** Interval at which a lasting trouble is logged again. */
const REPEAT_MILLISECONDS = 60_000;

interface Trouble {
  /** Name for /health. */
  name: WriteTrouble;
  /** Text for the log. */
  what: string;
  /** Answer to the senders of events. */
  refusal: Refusal;
}

const LATER: Refusal = 'error: the event could not be stored; try again later';

/** Troubles by the beginning of SQLite's code: SQLITE_IOERR also stands for SQLITE_IOERR_WRITE. */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  SQLITE_FULL: {
    name: 'the disk is full',
    what: 'the disk is full: new events are refused until space is free again, stored events are served',
    refusal: 'error: the disk of this relay is full; the event was not stored',
  },
  SQLITE_IOERR: {
    name: 'disk I/O error',
    what: 'disk I/O error: new events are refused; see the kernel log',
    refusal: LATER,
  },
  SQLITE_READONLY: {
    name: 'the database is read-only',
    what: 'the database is read-only: new events are refused; was the file system remounted?',
    refusal: LATER,
  },
  SQLITE_BUSY: {
    name: 'another process has locked the database',
    what: 'another process has locked the database: new events are refused until it unlocks it',
    refusal: LATER,
  },
  SQLITE_CORRUPT: {
    name: 'the database is damaged',
    what: 'the database is damaged: new events are refused; stop the relay and run wok doctor',
    refusal: LATER,
  },
};

/**
 * Tracker of write failures. While writes fail, events are rejected at once and a write is tried
 * again every second. The trouble is logged when it begins or changes, every minute, and at the
 * end.
 */
export class Disk {
  readonly #logger: Logger;
  readonly #writes: WriteState | null;
  #trouble: Trouble | null = null;
  #since = 0;
  #saidAt = 0;
  #askAgainAt = 0;
  #refused = 0;

  /** @param writes receives the trouble as long as it lasts. */
  constructor(logger: Logger, writes: WriteState | null = null) {
    this.#logger = logger;
    this.#writes = writes;
  }

  /** True from a failure until an event is stored or a write probe succeeds. */
  get isFailing(): boolean {
    return this.#trouble !== null;
  }

  /** Returns why events are rejected at `now` (milliseconds), or null if a write may be tried. */
  refusal(now: number): Refusal | null {
    if (this.#trouble === null || now >= this.#askAgainAt) return null;
    return this.#trouble.refusal;
  }

  /** Records a failed transaction at `now` (milliseconds). Returns the answer to its events. */
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

  /** Adds to the number of events rejected because of the trouble. */
  count(events: number): void {
    this.#refused += events;
  }

  /** Records at `now` (milliseconds) that an event was stored or a write probe succeeded. */
  worked(now: number): void {
    if (this.#trouble === null) return;
    const seconds = Math.round((now - this.#since) / 1000);
    this.#logger.warn('the database accepts events again', { refused: this.#refused, seconds });
    this.#trouble = null;
    if (this.#writes) this.#writes.trouble = '';
    this.#refused = 0;
  }
}
