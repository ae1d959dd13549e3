import type { z } from 'zod';
import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Change, Order } from '../messages.ts';
import type { MetricsMemory } from '../metrics/meter.ts';
import type { Lists, ListUpdate } from '../policy/lists.ts';
import type { Db } from '../storage/open.ts';
import type { TermHasher } from '../storage/terms.ts';
import type { Dashboards } from './dashboard/dashboards.ts';
import type { Decisions } from './decisions.ts';
import type { Membership } from './membership.ts';
import type { EventCount } from './metrics/event-count.ts';
import type { History } from './metrics/history.ts';
import type { PageRole } from './page-api/api.ts';
import type { Proxies } from './proxies.ts';
import type { ReachedBy } from './reached-by.ts';
import type { Retention } from './retention/retention.ts';
import type { RetentionTasks } from './retention/task.ts';
import type { Search } from './search/search.ts';

/** What every verb may use. */
export interface Room {
  readonly config: Config;
  /** A reading connection; `BEGIN` … `COMMIT` around what has to be of one moment. */
  readonly db: Db;
  readonly hasher: TermHasher;
  readonly clock: Clock;
  readonly log: Log;
  /** What all threads count. */
  readonly metrics: MetricsMemory;
  /** Brings those metrics up to date that nobody counts. */
  readonly sampleMetrics: () => void;
  /** The last hour, for charts. */
  readonly history: History;
  /** Events that are stored. */
  readonly eventCount: EventCount;
  /** How the relay is, for whoever watches. */
  readonly dashboards: Dashboards;
  /** Seconds since 1970 when the room opened. */
  readonly openedAt: number;
  /** What people banned and allowed, as it stands in the database. */
  readonly lists: Lists;
  /** What was decided about events. */
  readonly decisions: Decisions;
  readonly retention: Retention;
  /** The run of it that the page for admins has begun. */
  readonly retentionTasks: RetentionTasks;
  readonly search: Search;
  /** Members (NIP-43), and whatever else the relay signs. */
  readonly membership: Membership;
  /** Hosts by which clients reach the relay while `identity.urls` is empty. */
  readonly reachedBy: ReachedBy;
  /** Reverse proxies that do not tell the addresses of their clients. */
  readonly proxies: Proxies;
  /** Whether a public key is an admin's. */
  isAdmin(pubkey: string): boolean;
  isModerator(pubkey: string): boolean;
  /** Tells io what was changed of the relay's description, from the database. */
  describe(): void;
  /** Tells all stations of a change of the lists that is on disk. */
  publish(update: ListUpdate): void;
  /**
   * Has the writer carry out changes, all of them or none; resolves after the commit with the number of
   * rows that each touched. @throws AdminError `unavailable` when the writer refuses or goes away.
   */
  change(changes: readonly Change[]): Promise<readonly number[]>;
  /** Asks something of the whole process. @throws AdminError `refused` with a sentence. */
  order(order: Order): Promise<unknown>;
}

/** Who asks: on whose behalf a verb runs, for the audit log. */
export interface Caller {
  /** `shell` (somebody at the control socket), or a public key. */
  readonly by: string;
  /** What they may do; somebody at the control socket is an admin. */
  readonly role: PageRole;
}

/**
 * Something that the room can be asked for, by the control socket. To add one, write a file in
 * `verbs/` and name it in `verbs.ts`.
 */
export interface Verb<Params = unknown> {
  readonly name: string;
  /** What its parameters have to be; they reach `run` as this makes them. */
  readonly params: z.ZodType<Params>;
  /** The answer, which has to survive JSON. @throws AdminError for what the caller did wrong. */
  run(params: Params, room: Room, caller: Caller): unknown;
}

/** Makes a verb, so that `run` knows the type of its parameters. */
export function verb<Params>(made: Verb<Params>): Verb {
  return made as Verb;
}

/** Why a verb was not carried out: a word for programs and a sentence for people. */
export class AdminError extends Error {
  override name = 'AdminError';
  readonly code: AdminErrorCode;

  constructor(code: AdminErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** `usage`: not understood; `refused`: understood, and it does not go; `unavailable`: not now. */
export type AdminErrorCode = 'usage' | 'refused' | 'unavailable';
