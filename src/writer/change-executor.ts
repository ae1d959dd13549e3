// Executor of the changes that the admin worker requests. Runs on the writer thread.

import type { AccessLists } from '../access/lists.ts';
import type { Channel } from '../channel/channel.ts';
import { MessageInbox, MessageOutbox } from '../channel/outbox.ts';
import type { Change, ChangeReply, ChangeRequest, FromWriter } from '../messages/admin-writer.ts';
import type { RejectionReporter } from '../policy/rejection-log.ts';
import type { Db } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import type { EventLog } from '../store/write/event-log.ts';
import type { Quarantine } from '../store/write/quarantine.ts';

/** Handlers by type of change; each returns the number of rows it touched. */
type Handlers = {
  readonly [T in Change['t']]: (change: Extract<Change, { t: T }>) => number;
};

/** Dependencies of the executor. */
interface ChangeExecutorParts {
  db: Db;
  log: EventLog;
  /** The writer's own copy of the lists. */
  lists: AccessLists;
  /** Rejections and removals by the writer, for the admin worker. */
  decisions: RejectionReporter;
  /** Queues an event of the relay itself for the log, in order with all others. */
  submit(json: string): void;
  quarantine: Quarantine;
  /** Runs work in a transaction of the writer. Returns why it was rolled back, or null. */
  transact(work: () => void): Error | null;
}

/**
 * Executor of admin changes: turns requests of the admin worker into rows, each in a transaction of
 * its own, between two commits.
 */
export class ChangeExecutor {
  readonly #transact: ChangeExecutorParts['transact'];
  readonly #handlers: Handlers;
  /** Cause of the current removals; null: the rules of the log. */
  removedBy: { rule: string; by: string; text: string } | null = null;
  readonly #decisions: RejectionReporter;
  /** Changes in memory that follow once the transaction is on disk. */
  #afterCommit: (() => void)[] = [];
  #read: () => void = () => {};

  constructor({ db, log, lists, decisions, quarantine, transact, submit }: ChangeExecutorParts) {
    this.#decisions = decisions;
    this.#transact = transact;
    const audit = db.prepare(sql.INSERT_AUDIT);
    const list = db.prepare(sql.UPSERT_LISTED);
    const unlist = db.prepare(sql.DELETE_LISTED);
    const setting = db.prepare(sql.UPSERT_SETTING);
    const dropSetting = db.prepare(sql.DELETE_SETTING);
    const role = db.prepare(sql.UPSERT_ROLE);
    const dropRole = db.prepare(sql.DELETE_ROLE);
    const roleOf = db.prepare(sql.INSERT_ROLE_OF);
    const dropRoleOf = db.prepare(sql.DELETE_ROLE_OF);
    const dropRoleOfAll = db.prepare(sql.DELETE_ROLE_OF_ALL);
    const useInvite = db.prepare(sql.USE_INVITE);
    const setReceipt = db.prepare(sql.SET_VANISH_RECEIPT);
    const dropReports = db.prepare(sql.DELETE_REPORTS_OF);
    const decision = db.prepare(sql.INSERT_DECISION);
    const forget = db.prepare(sql.DELETE_OLD_DECISIONS);
    const forgetAudit = db.prepare(sql.DELETE_AUDIT);
    this.#handlers = {
      audit: ({ at, by, action, subject, reason }) =>
        audit.run(at, by, action, subject, reason).changes,
      list: ({ entry, by, at, reason }) => {
        const { list: name, subject, stance, expiresAt, until } = entry;
        this.#afterCommit.push(() => lists.update({ t: 'put', entries: [entry] }));
        return list.run(name, subject, stance, reason, by, at, expiresAt || null, until || null)
          .changes;
      },
      unlist: ({ list: name, subject, stance }) => {
        const { changes } = unlist.run(name, subject, stance);
        if (changes > 0) {
          this.#afterCommit.push(() => lists.update({ t: 'drop', list: name, subject }));
        }
        return changes;
      },
      forgetAudit: ({ before }) => forgetAudit.run(before).changes,
      setting: ({ name, value }) =>
        (value === null ? dropSetting.run(name) : setting.run(name, value)).changes,
      role: ({ role: { id, label, description, color, order } }) =>
        role.run(id, label, description, color, order).changes,
      unrole: ({ id }) => {
        dropRoleOfAll.run(id);
        return dropRole.run(id).changes;
      },
      assign: ({ pubkey, role: id, by, at }) => roleOf.run(pubkey, by, at, id).changes,
      unassign: ({ pubkey, role: id }) => dropRoleOf.run(pubkey, id).changes,
      useInvite: ({ nonce, uses, expiresAt }) => useInvite.run(nonce, expiresAt, uses).changes,
      publish: ({ json }) => this.#afterCommit.push(() => submit(json)),
      receipt: ({ request, receipt }) => setReceipt.run(receipt, request).changes,
      closeReports: ({ target }) => dropReports.run(target).changes,
      remove: ({ seqs, why }) => {
        this.removedBy = why ?? null;
        const { length } = seqs.filter((seq) => log.removeSeq(seq));
        this.removedBy = null;
        return length;
      },
      decisions: ({ decisions, max }) => {
        for (const { id, pubkey, at, action, rule, by, text } of decisions) {
          decision.run(id, pubkey, at, action, rule, by, text);
        }
        return forget.run(max).changes;
      },
      release: ({ ids }) => {
        const events = ids.map((id) => quarantine.jsonOf(id)).filter((json) => json !== undefined);
        this.#afterCommit.push(() => {
          for (const json of events) submit(json);
        });
        return events.length;
      },
      discard: ({ ids }) => ids.reduce((rows, id) => rows + quarantine.drop(id), 0),
    };
  }

  attach(channel: Channel): void {
    const outbox = new MessageOutbox<FromWriter>(channel);
    this.#decisions.to((batch) => outbox.send(batch));
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
    if (failure) return { n, rows: [], error: `Nothing was changed: ${failure.message}.` };
    for (const act of this.#afterCommit) act();
    return { n, rows, error: '' };
  }

  #one<T extends Change['t']>(change: Extract<Change, { t: T }>): number {
    return this.#handlers[change.t as T](change);
  }
}
