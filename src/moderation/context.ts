// Contexts of moderation: what it needs of the admin worker, which implements them. The types of
// its page data stay in web/api/, the only folder from which browser code may import types.

import type { AccessLists, ListUpdate } from '../access/lists.ts';
import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../log/log.ts';
import type { Change } from '../messages/admin-writer.ts';
import type { Db } from '../store/database/open.ts';
import type { TermHasher } from '../store/index/terms.ts';

/** Actor and reason of an action, for the lists and the audit log. */
export interface Act {
  by: string;
  reason: string;
}

/** Context of methods that change nothing. */
export interface ModerationReads {
  readonly config: Config;
  /** Read-only connection; reads that need one snapshot go between `BEGIN` and `COMMIT`. */
  readonly db: Db;
  readonly hasher: TermHasher;
  readonly clock: Clock;
  readonly log: Log;
  /** Bans and allowances, as stored in the database. */
  readonly lists: AccessLists;
  /** Returns true if the public key is an admin's. */
  isAdmin(pubkey: string): boolean;
  isModerator(pubkey: string): boolean;
}

/** Context of methods that change lists, reports or events. */
export interface ModerationContext extends ModerationReads {
  /**
   * Has the writer apply changes, all of them or none; resolves after the commit with the number of
   * rows that each changed. @throws RpcError `unavailable` when the writer refuses or goes away.
   */
  change(changes: readonly Change[]): Promise<readonly number[]>;
  /** Sends a committed list change to all threads concerned. */
  publish(update: ListUpdate): void;
}
