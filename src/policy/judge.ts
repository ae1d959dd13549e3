import type { NostrEvent } from '../protocol/event.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { RuleName } from './rule-names.ts';

/** The connection that something came by. */
export interface Sender {
  readonly connId: number;
  readonly ip: string;
  /** The public keys that have authenticated on it (NIP-42). */
  readonly authed: ReadonlySet<string>;
}

/** An event whose signature is good, and who brought it. */
export interface JudgedWrite {
  readonly event: NostrEvent;
  /** Its canonical JSON, in memory that is used again: whoever waits keeps a copy. */
  readonly json: Buffer;
  readonly from: Sender;
}

/** What a client asks of the database. */
export interface JudgedRead {
  readonly type: 'REQ' | 'COUNT';
  readonly subId: string;
  /** As the client wrote them, after they were checked. */
  readonly filters: readonly unknown[];
  readonly from: Sender;
}

/** Who decided, for `wok why` and counters: a rule, and which of several (a plugin's name) or ''. */
export interface Decider {
  readonly rule: RuleName;
  readonly by: string;
}

/**
 * What becomes of an event.
 *
 * - `refuse`: OK false with this text.
 * - `shadow`: OK true with this text, and nothing is stored or passed on.
 * - `hold`: OK true, and stored apart (`quarantined`) until somebody releases it; `why` is for them.
 */
export type Judgement =
  | { readonly action: 'accept' }
  | (Decider & { readonly action: 'refuse'; readonly message: Refusal })
  | (Decider & { readonly action: 'shadow'; readonly message: string })
  | (Decider & { readonly action: 'hold'; readonly why: string });

/** What becomes of a REQ or COUNT; `replace` answers other filters than the client's. */
export type ReadJudgement =
  | { readonly action: 'accept' }
  | (Decider & { readonly action: 'refuse'; readonly message: Refusal })
  | (Decider & { readonly action: 'replace'; readonly filters: readonly unknown[] });

/** The one of no rule. */
export const ACCEPT = { action: 'accept' } as const;

/** When more wait than may. */
export const VERDICT_QUEUE_FULL = {
  action: 'refuse',
  rule: 'verdict-queue',
  by: '',
  message: 'rate-limited: too much waits for the policy of this relay; try again',
} as const satisfies Judgement;
