/**
 * What the page `/admin` may say to the relay, and what it hears: types only, so that the browser's code
 * can import them. The relay's side is `src/admin/pages/`, the rules are in docs/admin.md.
 *
 * Every request is a POST with `Content-Type: application/json` and a body of JSON, from the relay's own
 * origin. `/admin/login` takes `{}` and an `Authorization` header (NIP-98: kind 27235, `u` = the address
 * of that request, `method` = POST, `payload` = SHA-256 of the body) and answers a `Session` and a cookie.
 * `/admin/logout` takes `{}` and answers `true`. `/admin/api` takes a `PageRequest`, with the cookie.
 */
import type { ConfigVerbs } from './config.ts';
import type { Dashboard, SlowQuery, Talker } from './dashboard.ts';
import type { EventVerbs } from './events.ts';
import type { ModerationVerbs } from './moderation.ts';
import type { PeopleVerbs } from './people.ts';

/** What somebody may do: `admin` everything, `moderator` what docs/moderation.md tells. */
export type PageRole = 'admin' | 'moderator';

/** Who has logged in. */
export interface Session {
  /** 64 hex characters. */
  pubkey: string;
  role: PageRole;
  /** When the session ends whatever happens, in seconds since 1970. */
  endsAt: number;
  /** It also ends when nothing is asked for so many seconds. */
  idleSeconds: number;
  /** The verbs that this role may use. */
  verbs: PageVerb[];
  /** Whether the page came by https, as far as the relay can tell. */
  encrypted: boolean;
  /** The name of the relay, and its version. */
  relay: { name: string; version: string };
}

/** Every verb with what it takes and answers. What has a default may be left out. */
export interface PageVerbs extends ModerationVerbs, PeopleVerbs, EventVerbs, ConfigVerbs {
  /** Who has logged in here. The one verb to begin with: it fails with `unauthenticated` else. */
  session: { params: Nothing; result: Session };
  /**
   * How the relay is right now, and how it was. Meant to be asked every 2 to 5 seconds: the answer is
   * made at most once a second for all pages together. `since`: `history` begins behind this moment
   * (milliseconds since 1970, the `at` of the last sample that the page has); without it, with the
   * oldest that is remembered.
   */
  dashboard: { params: { since?: number }; result: Dashboard };
  /** Admins only, for the addresses: who sends and receives most, the greatest first. */
  talkers: { params: Nothing; result: Talker[] };
  /** The newest slow queries, newest first. `limit`: 1 … 1000, default 50. */
  slow: { params: { limit?: number }; result: SlowQuery[] };
}

/** Parameters of a verb that takes none. */
export type Nothing = Record<string, never>;

/** The name of a verb. */
export type PageVerb = keyof PageVerbs;

/** The body of a request to `/admin/api`; `params` may be left out where all of it may. */
export interface PageRequest<V extends PageVerb = PageVerb> {
  verb: V;
  params?: PageVerbs[V]['params'];
}

/** The body of every answer: with status 200 a result, with any other an error. */
export type PageAnswer<V extends PageVerb = PageVerb> =
  | { result: PageVerbs[V]['result'] }
  | { error: PageError };

/** Why something was not done. */
export interface PageError {
  kind: PageErrorKind;
  /** A sentence for people that says what to do instead. */
  message: string;
}

/**
 * | kind | status | |
 * |---|---|---|
 * | `under_way` | 202 | it takes long, as removing all of an author may, and goes on; the audit log has it |
 * | `usage` | 400 | not understood; the sentence says what is wrong with it |
 * | `unauthenticated` | 401 | nobody has logged in, or the session is over: log in (again) |
 * | `forbidden` | 403 | this role may not, or the request came from another origin |
 * | `unknown` | 404 | there is no such verb |
 * | `method` | 405 | only POST is taken |
 * | `refused` | 409 | understood, and it does not go |
 * | `too_large` | 413 | more than `admin.request_bytes_max` |
 * | `media_type` | 415 | the Content-Type is not application/json |
 * | `too_many` | 429 | too many logins, or too many that failed; `Retry-After` says how many seconds to wait |
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
