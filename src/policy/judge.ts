import type { NostrEvent } from '../protocol/event.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { RuleName } from './rule-names.ts';

/** An event whose signature is good, and who brought it. */
export interface JudgedWrite {
  readonly event: NostrEvent;
  /** Its canonical JSON, in memory that is used again: whoever waits keeps a copy. */
  readonly json: Buffer;
  readonly connId: number;
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
 */
export type Judgement =
  | { readonly action: 'accept' }
  | (Decider & { readonly action: 'refuse'; readonly message: Refusal })
  | (Decider & { readonly action: 'shadow'; readonly message: string });

/** The one of no rule. */
export const ACCEPT: Judgement = { action: 'accept' };

/**
 * What is asked about an event last, behind the signature check: the only part of the policy that may
 * take its time.
 */
export interface WriteJudge {
  /**
   * The judgement, or the promise of it, which never rejects. Without `mayWait` there is no room for
   * one that waits, and what would have to is refused at once.
   */
  judge(write: JudgedWrite, mayWait: boolean): Judgement | Promise<Judgement>;
}
