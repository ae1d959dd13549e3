// Executor of the changes that the admin worker requests. Runs on the writer thread.

import type { Channel } from '../channel/channel.ts';
import { MessageInbox, MessageOutbox } from '../channel/outbox.ts';
import { memberRows } from '../members/row-changes.ts';
import type {
  Change,
  ChangeHandlers,
  ChangeReply,
  ChangeRequest,
  FromWriter,
} from '../messages/admin-writer.ts';
import { type ModerationRowsParts, moderationRows } from '../moderation/row-changes.ts';
import type { RejectionReporter } from '../policy/rejection-log.ts';
import * as sql from '../store/database/sql.ts';
import type { EventLog } from '../store/write/event-log.ts';

/** Dependencies of the executor. */
export interface ChangeExecutorParts extends Omit<ModerationRowsParts, 'afterCommit'> {
  log: EventLog;
  /** Rejections and removals by the writer, for the admin worker. */
  rejections: RejectionReporter;
  /** Runs work in a transaction of the writer. Returns why it was rolled back, or null. */
  transact(work: () => void): Error | null;
}

/**
 * Executor of admin changes: turns requests of the admin worker into rows, each in a transaction of
 * its own, between two commits.
 */
export class ChangeExecutor {
  readonly #transact: ChangeExecutorParts['transact'];
  readonly #handlers: ChangeHandlers;
  /** Cause of the current removals; null: the rules of the log. */
  removedBy: { rule: string; by: string; text: string } | null = null;
  readonly #rejections: RejectionReporter;
  /** Changes in memory that follow once the transaction is on disk. */
  #afterCommit: (() => void)[] = [];
  #read: () => void = () => {};

  constructor({ log, rejections, transact, ...parts }: ChangeExecutorParts) {
    this.#rejections = rejections;
    this.#transact = transact;
    const { db, submit } = parts;
    const setting = db.prepare(sql.UPSERT_SETTING);
    const dropSetting = db.prepare(sql.DELETE_SETTING);
    const afterCommit = (act: () => void) => void this.#afterCommit.push(act);
    this.#handlers = {
      ...moderationRows({ ...parts, afterCommit }),
      ...memberRows(db),
      setting: ({ name, value }) =>
        (value === null ? dropSetting.run(name) : setting.run(name, value)).changes,
      publish: ({ json }) => this.#afterCommit.push(() => submit(json)),
      remove: ({ seqs, why }) => {
        this.removedBy = why ?? null;
        const { length } = seqs.filter((seq) => log.removeSeq(seq));
        this.removedBy = null;
        return length;
      },
    };
  }

  attach(channel: Channel): void {
    const outbox = new MessageOutbox<FromWriter>(channel);
    this.#rejections.to((batch) => outbox.send(batch));
    const inbox = new MessageInbox<ChangeRequest>();
    channel.receive((batch) => {
      for (const request of inbox.read(batch)) outbox.send(this.#carryOut(request));
    });
    this.#read = () => void channel.drain();
  }

  /** Carries out the requests that the admin worker sent before it stopped. */
  stop(): void {
    this.#read();
  }

  #carryOut({ n, changes }: ChangeRequest): ChangeReply {
    const rows: number[] = [];
    this.#afterCommit = [];
    const failure = this.#transact(() => {
      for (const change of changes) rows.push(this.#one(change));
    });
    if (failure)
      return { t: 'reply', n, rows: [], error: `Nothing was changed: ${failure.message}.` };
    for (const act of this.#afterCommit) act();
    return { t: 'reply', n, rows, error: '' };
  }

  #one<T extends Change['t']>(change: Extract<Change, { t: T }>): number {
    return this.#handlers[change.t as T](change);
  }
}
