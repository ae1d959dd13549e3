// Context of the admin worker: what its RPC methods and parts may use, and the type of an RPC
// method.

import type { z } from 'zod';
import type { AccessLists, ListUpdate } from '../access/lists.ts';
import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../log/log.ts';
import type { Change } from '../messages/admin-writer.ts';
import type { Order } from '../messages/control.ts';
import type { MetricsMemory } from '../metrics/memory.ts';
import type { Db } from '../store/database/open.ts';
import type { TermHasher } from '../store/index/terms.ts';
import type { PageRole } from '../web/api/api.ts';
import type { Dashboards } from './dashboard/dashboards.ts';
import type { Membership } from './membership.ts';
import type { EventCount } from './metrics/event-count.ts';
import type { History } from './metrics/history.ts';
import type { Proxies } from './proxies.ts';
import type { ReachedBy } from './reached-by.ts';
import type { RejectionLog } from './rejections.ts';
import type { Retention } from './retention/retention.ts';
import type { RetentionTasks } from './retention/task.ts';
import type { Search } from './search/search.ts';

/** Context of the admin worker, implemented by `Admin` and passed to every RPC method. */
export interface Room {
  readonly config: Config;
  /** Read-only connection; reads that need one snapshot go between `BEGIN` and `COMMIT`. */
  readonly db: Db;
  readonly hasher: TermHasher;
  readonly clock: Clock;
  readonly log: Log;
  /** Metrics of all threads. */
  readonly metrics: MetricsMemory;
  /** Updates the metrics that are sampled rather than counted. */
  readonly sampleMetrics: () => void;
  /** Samples of the last hour, for charts. */
  readonly history: History;
  /** Number of stored events. */
  readonly eventCount: EventCount;
  /** Current state of the relay, for the dashboard. */
  readonly dashboards: Dashboards;
  /** Start of the admin worker, in seconds since 1970. */
  readonly openedAt: number;
  /** Bans and allowances, as stored in the database. */
  readonly lists: AccessLists;
  /** Rejection log. */
  readonly decisions: RejectionLog;
  readonly retention: Retention;
  /** Background run of retention begun from the admin page. */
  readonly retentionTasks: RetentionTasks;
  readonly search: Search;
  /** Members (NIP-43), and everything else that the relay signs. */
  readonly membership: Membership;
  /** Hosts by which clients reach the relay while `identity.urls` is empty. */
  readonly reachedBy: ReachedBy;
  /** Reverse proxies that do not pass on the addresses of their clients. */
  readonly proxies: Proxies;
  /** Returns true if the public key is an admin's. */
  isAdmin(pubkey: string): boolean;
  isModerator(pubkey: string): boolean;
  /** Sends io the changes of the relay description, from the database. */
  describe(): void;
  /** Sends a committed list change to all threads concerned. */
  publish(update: ListUpdate): void;
  /**
   * Has the writer apply changes, all of them or none; resolves after the commit with the number of
   * rows that each changed. @throws AdminError `unavailable` when the writer refuses or goes away.
   */
  change(changes: readonly Change[]): Promise<readonly number[]>;
  /** Sends an order to the whole process. @throws AdminError `refused` with a sentence. */
  order(order: Order): Promise<unknown>;
}

/** Caller of an RPC method, for permissions and the audit log. */
export interface Caller {
  /** `shell` for a client of the control socket, or a public key. */
  readonly by: string;
  /** Role of the caller; clients of the control socket are admins. */
  readonly role: PageRole;
}

/**
 * RPC method of the control socket; `pages/access.ts` names those that the admin page may call. To
 * add one, write a file in `verbs/` and name it in `verbs.ts`.
 */
export interface Verb<Params = unknown> {
  readonly name: string;
  /** Schema of the parameters; `run` receives its output. */
  readonly params: z.ZodType<Params>;
  /** Returns the answer, which has to survive JSON. @throws AdminError for errors of the caller. */
  run(params: Params, room: Room, caller: Caller): unknown;
}

/** Returns the method unchanged; infers the type of the parameters of `run`. */
export function verb<Params>(made: Verb<Params>): Verb {
  return made as Verb;
}

/** Failure of an RPC method: a code for programs and a sentence for people. */
export class AdminError extends Error {
  override name = 'AdminError';
  readonly code: AdminErrorCode;

  constructor(code: AdminErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** `usage`: not understood; `refused`: understood, but not possible; `unavailable`: not now. */
export type AdminErrorCode = 'usage' | 'refused' | 'unavailable';
