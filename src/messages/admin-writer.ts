// Messages between admin worker and writer: changes and their results. It holds no state.

import type { ListEntry, ListName, Stance } from '../store/database/listed.ts';
import type { RejectionBatch, RejectionRecord } from './rejections.ts';

/**
 * Change that the admin worker may have the writer make. The changes of one request are one
 * transaction: all of them or none. `writer/change-executor.ts` carries them out, with the
 * functions of `moderation/row-changes.ts` and `members/row-changes.ts`.
 */
export type Change =
  /** Row of the audit log: actor, action, subject and reason. */
  | { t: 'audit'; at: number; by: string; action: string; subject: string; reason: string }
  | { t: 'list'; entry: ListEntry; by: string; at: number; reason: string }
  /** Removes a subject from a list, if it is listed with this stance. */
  | { t: 'unlist'; list: ListName; subject: string; stance: Stance }
  /** Removes events by their place in the log; events that are gone already are skipped. */
  | { t: 'remove'; seqs: number[]; why?: { rule: string; by: string; text: string } }
  /** Adds rejection records, and deletes the oldest beyond `max`. */
  | { t: 'rejections'; rejections: RejectionRecord[]; max: number }
  | { t: 'forgetAudit'; before: number }
  /** Setting of the relay's own description, made at run time; null: as it is configured. */
  | { t: 'setting'; name: string; value: string | null }
  | { t: 'role'; role: Role }
  /** Also takes the role from all members who have it. */
  | { t: 'unrole'; id: string }
  | { t: 'assign'; pubkey: string; role: string; by: string; at: number }
  | { t: 'unassign'; pubkey: string; role: string }
  /** Counts a use of an invite, if it has one left (NIP-43). */
  | { t: 'useInvite'; nonce: string; uses: number; expiresAt: number }
  /** Publishes an event that the relay has signed. */
  | { t: 'publish'; json: string }
  /** Event by which a request to vanish was confirmed. */
  | { t: 'receipt'; request: string; receipt: string }
  /** Closes the reports about an event or a person. */
  | { t: 'closeReports'; target: string }
  /** Stores quarantined events by the usual rules; those that may not be stored stay there. */
  | { t: 'release'; ids: string[] }
  | { t: 'discard'; ids: string[] };

/** ingester → admin: request of a client to the relay (NIP-43). `n` numbers those of a worker. */
export interface MemberRequest {
  t: 'member';
  n: number;
  member: 'join' | 'leave' | 'invite';
  /** Client that asks. */
  pubkey: string;
  /** Invite code of a request to join; else ''. */
  claim: string;
  createdAt: number;
}

/** OK to the request of a member, or the invite as JSON of an event. */
export interface MemberResult {
  ok: boolean;
  text: string;
}

/** admin → ingester: the result of a request. */
export interface MemberAnswer extends MemberResult {
  t: 'member';
  n: number;
}

/**
 * ingester → admin: hosts by which clients reach the relay and that it does not know to be its own,
 * with the number of sightings since the last report; at most one report a second.
 */
export interface SeenAddresses {
  t: 'addresses';
  seen: { host: string; count: number }[];
}

/** Role that members may have (NIP-43). */
export interface Role {
  id: string;
  label: string;
  description: string;
  /** Hue from 0 to 360, or null. */
  color: number | null;
  /** For display. */
  order: number | null;
}

/** Functions that carry out changes, by type; each returns the number of rows that it touched. */
export type ChangeHandlers<T extends Change['t'] = Change['t']> = {
  readonly [Type in T]: (change: Extract<Change, { t: Type }>) => number;
};

/** admin → writer: changes, in one transaction. `n` numbers the requests of the admin worker. */
export interface ChangeRequest {
  n: number;
  changes: Change[];
}

/**
 * writer → admin: number of rows that each change touched, after the commit; or the error for which
 * nothing was changed.
 */
export interface ChangeReply {
  t: 'reply';
  n: number;
  rows: number[];
  error: string;
}

/** Messages of the writer to the admin worker. */
export type FromWriter = ChangeReply | RejectionBatch;
