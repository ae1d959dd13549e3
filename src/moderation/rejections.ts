// Log of rejection records (refused, shadowed, quarantined and removed events). Owned by the admin
// worker; the writer stores the rows.

import type { Change } from '../messages/admin-writer.ts';
import type { RejectionBatch, RejectionRecord } from '../messages/rejections.ts';
import * as sql from '../store/database/sql.ts';
import type { ModerationContext } from './context.ts';

/** Maximum number of records waiting to be written; further ones are dropped and counted. */
const WAITING_MAX = 10_000;
/** Maximum number of records in one transaction, except at shutdown. */
const WRITTEN_MAX = 500;
const WRITE_MILLISECONDS = 2_000;

/**
 * Rejection log: the records of the last seconds in memory, older ones as database rows, at most
 * `moderation.decisions_max`.
 */
export class RejectionLog {
  /** Number of records dropped since the admin worker started, because there were too many. */
  omitted = 0;
  readonly #context: ModerationContext;
  #waiting: RejectionRecord[] = [];
  #writing = false;
  readonly #timer: NodeJS.Timeout;

  constructor(context: ModerationContext) {
    this.#context = context;
    this.#timer = setInterval(() => void this.write(), WRITE_MILLISECONDS);
  }

  take({ records: rejections, omitted }: RejectionBatch): void {
    this.omitted += omitted;
    if (this.#context.config.moderation.decisions_max === 0) return;
    for (const rejection of rejections) {
      if (this.#waiting.length < WAITING_MAX) this.#waiting.push(rejection);
      else this.omitted++;
    }
  }

  /** Returns all records about an event, the newest last. */
  about(id: string): RejectionRecord[] {
    const rows = this.#context.db.prepare(sql.SELECT_REJECTIONS).all(id) as RejectionRecord[];
    return [...rows, ...this.#waiting.filter((one) => one.id === id)];
  }

  /** Sends the oldest waiting records to the writer; one transaction at a time. */
  async write(): Promise<void> {
    if (this.#writing || this.#waiting.length === 0) return;
    this.#writing = true;
    const rejections = this.#waiting.slice(0, WRITTEN_MAX);
    try {
      await this.#context.change([this.#change(rejections)]);
      this.#waiting.splice(0, rejections.length);
    } catch (error) {
      this.#context.log.debug('rejection records could not be written, trying again', {
        error: String(error),
      });
    } finally {
      this.#writing = false;
    }
    if (this.#waiting.length >= WRITTEN_MAX) setImmediate(() => void this.write());
  }

  /** Sends all waiting records, without a reply: the writer reads them before it stops. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#writing || this.#waiting.length === 0) return;
    void this.#context.change([this.#change(this.#waiting)]).catch(() => {});
  }

  #change(rejections: RejectionRecord[]): Change {
    return { t: 'rejections', rejections, max: this.#context.config.moderation.decisions_max };
  }
}
