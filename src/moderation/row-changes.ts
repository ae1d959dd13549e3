// Changes of the rows of moderation: lists, audit log, reports, quarantine, rejection records. They
// run on the writer thread, in its transaction.

import type { AccessLists } from '../access/lists.ts';
import type { ChangeHandlers } from '../messages/admin-writer.ts';
import type { Db } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import type { Quarantine } from './quarantine-rows.ts';

/** Parts of the writer that the changes need. */
export interface ModerationRowsParts {
  db: Db;
  /** The writer's own copy of the lists. */
  lists: AccessLists;
  quarantine: Quarantine;
  /** Queues an event of the relay itself for the log, in order with all others. */
  submit(json: string): void;
  /** Makes a change in memory that follows once the transaction is on disk. */
  afterCommit(act: () => void): void;
}

type OfLists = 'audit' | 'forgetAudit' | 'list' | 'unlist';
type OfEvents = 'closeReports' | 'rejections' | 'release' | 'discard';

/** Returns the handlers of these changes. */
export function moderationRows(parts: ModerationRowsParts): ChangeHandlers<OfLists | OfEvents> {
  const { db, lists, quarantine, submit, afterCommit } = parts;
  const audit = db.prepare(sql.INSERT_AUDIT);
  const forgetAudit = db.prepare(sql.DELETE_AUDIT);
  const list = db.prepare(sql.UPSERT_LISTED);
  const unlist = db.prepare(sql.DELETE_LISTED);
  const dropReports = db.prepare(sql.DELETE_REPORTS_OF);
  const rejection = db.prepare(sql.INSERT_REJECTION);
  const forget = db.prepare(sql.DELETE_OLD_REJECTIONS);
  return {
    audit: ({ at, by, action, subject, reason }) =>
      audit.run(at, by, action, subject, reason).changes,
    forgetAudit: ({ before }) => forgetAudit.run(before).changes,
    list: ({ entry, by, at, reason }) => {
      const { list: name, subject, stance, expiresAt, until } = entry;
      afterCommit(() => lists.update({ t: 'put', entries: [entry] }));
      return list.run(name, subject, stance, reason, by, at, expiresAt || null, until || null)
        .changes;
    },
    unlist: ({ list: name, subject, stance }) => {
      const { changes } = unlist.run(name, subject, stance);
      if (changes > 0) afterCommit(() => lists.update({ t: 'drop', list: name, subject }));
      return changes;
    },
    closeReports: ({ target }) => dropReports.run(target).changes,
    rejections: ({ rejections, max }) => {
      for (const { id, pubkey, at, action, rule, by, text } of rejections) {
        rejection.run(id, pubkey, at, action, rule, by, text);
      }
      return forget.run(max).changes;
    },
    release: ({ ids }) => {
      const events = ids.map((id) => quarantine.jsonOf(id)).filter((json) => json !== undefined);
      afterCommit(() => {
        for (const json of events) submit(json);
      });
      return events.length;
    },
    discard: ({ ids }) => ids.reduce((rows, id) => rows + quarantine.drop(id), 0),
  };
}
