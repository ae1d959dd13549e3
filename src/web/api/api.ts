// Protocol of the page `/admin`: requests and answers as types only, so that the browser's code can
// import them, which is why those of `src/moderation`, `src/members` and `src/retention` are in
// this folder, too. The relay's side is `src/admin/pages/`, the rules are in docs/admin.md.

import type { ConfigMethods } from './config.ts';
import type { Dashboard, SlowQuery, TopConnection } from './dashboard.ts';
import type { EventMethods } from './events.ts';
import type { ModerationMethods } from './moderation.ts';
import type { PeerMethods } from './peers.ts';
import type { PeopleMethods } from './people.ts';

/** Role of a key: `admin` may do everything, `moderator` the actions in docs/moderation.md. */
export type PageRole = 'admin' | 'moderator';

/** Session of a key that has logged in. */
export interface Session {
  /** 64 hex characters. */
  pubkey: string;
  role: PageRole;
  /** Time of the end of the session, used or not, in seconds since 1970. */
  endsAt: number;
  /** Seconds without a request after which it ends, too. */
  idleSeconds: number;
  /** RPC methods that this role may call. */
  methods: PageMethod[];
  /** True if the page came by https, as far as the relay can tell. */
  encrypted: boolean;
  /** Name and version of the relay. */
  relay: { name: string; version: string };
}

/** Parameters and result of each RPC method. Parameters with a default may be left out. */
export interface PageMethods
  extends ModerationMethods,
    PeopleMethods,
    EventMethods,
    ConfigMethods,
    PeerMethods {
  /** Returns the session. The first call of a page: fails with `unauthenticated` without one. */
  session: { params: Nothing; result: Session };
  /**
   * Returns the current state and the history of the relay. To be called every 2 to 5 seconds: the
   * answer is made at most once a second for all pages. `since`: `history` begins after this time
   * (milliseconds since 1970, the `at` of the page's last sample); by default with the oldest one.
   */
  dashboard: { params: { since?: number }; result: Dashboard };
  /** Returns the top connections by traffic, the greatest first; admins only, for the addresses. */
  connections: { params: Nothing; result: TopConnection[] };
  /** Returns the newest slow queries, newest first. `limit`: 1 … 1000, default 50. */
  slow: { params: { limit?: number }; result: SlowQuery[] };
}

/** Parameters of an RPC method that takes none. */
type Nothing = Record<string, never>;

/** Name of an RPC method. */
export type PageMethod = keyof PageMethods;

/**
 * Body of a request to `/admin/api`; `params` may be left out if all of them have defaults.
 *
 * Every request is a POST with `Content-Type: application/json` and a body of JSON, from the
 * relay's own origin. `/admin/login` takes `{}` and an `Authorization` header (NIP-98: kind 27235,
 * `u` = the address of that request, `method` = POST, `payload` = SHA-256 of the body) and answers
 * a `Session` and a cookie. `/admin/logout` takes `{}` and answers `true`. `/admin/api` takes a
 * `PageRequest`, with the cookie.
 */
export interface PageRequest<V extends PageMethod = PageMethod> {
  method: V;
  params?: PageMethods[V]['params'];
}

/** Body of every answer: with status 200 a result, with any other an error. */
export type PageAnswer<V extends PageMethod = PageMethod> =
  | { result: PageMethods[V]['result'] }
  | { error: PageError };

/** Failure of a request. */
export interface PageError {
  kind: PageErrorKind;
  /** Sentence for people, with advice. */
  message: string;
}

/**
 * Kinds of failures and their HTTP status.
 *
 * | kind | status | |
 * |---|---|---|
 * | `under_way` | 202 | takes long, as removing an author may, and goes on; the audit log has it |
 * | `usage` | 400 | not understood; the sentence names the error |
 * | `unauthenticated` | 401 | no login, or the session has ended: log in (again) |
 * | `forbidden` | 403 | this role may not, or the request came from another origin |
 * | `unknown` | 404 | there is no such method |
 * | `method` | 405 | only POST is accepted |
 * | `refused` | 409 | understood, but not possible |
 * | `too_large` | 413 | more than `admin.request_bytes_max` |
 * | `media_type` | 415 | the Content-Type is not application/json |
 * | `too_many` | 429 | too many logins, or failed ones; `Retry-After` has the seconds to wait |
 * | `fault` | 500 | a fault of the relay; its log says more |
 * | `unavailable` | 503 | not now; try again (408 when the body of the request came too slowly) |
 */
export type PageErrorKind =
  | 'under_way'
  | 'usage'
  | 'unauthenticated'
  | 'forbidden'
  | 'unknown'
  | 'method'
  | 'refused'
  | 'too_large'
  | 'media_type'
  | 'too_many'
  | 'fault'
  | 'unavailable';
