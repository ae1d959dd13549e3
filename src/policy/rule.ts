// Interface of a single write rule, its input, and the function that runs the rules of one stage.

import { type Rejection, refuse } from '../access/rejection.ts';
import type { RuleName } from '../config/rule-names.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { Client } from './rates/rates.ts';

/** Event to be written, with its context. The object is reused: rules must not retain it. */
export interface WriteAttempt {
  event: NostrEvent;
  /** Client to charge; null for exempt clients and for events that no client sent. */
  client: Client | null;
  /**
   * Pubkeys that have authenticated on the connection (NIP-42); of an event from another relay, its
   * author.
   */
  authed: ReadonlySet<string>;
  /** True if the event comes from another relay instead of a client. */
  isMirrored: boolean;
  /** In the stage `proven`: true if the event is certainly not stored; copies are not charged. */
  isNew: boolean;
  /** Seconds since 1970. */
  now: number;
}

/**
 * Condition for writes. A rule that is off is not in the pipeline at all, so that it costs nothing;
 * one that is on costs single microseconds and is synchronous.
 */
export interface WriteRule {
  readonly name: RuleName;
  /**
   * `claimed`: looks only at what the event claims, before hash and signature are checked.
   * `proven`: the author is known; rules that charge a key or fetch data because of it belong here.
   */
  readonly stage: 'claimed' | 'proven';
  /** Returns the reason to refuse, or null; a rejection if it stands for several rules. */
  check(attempt: WriteAttempt): Refusal | Rejection | null;
}

/** Runs the rules of one stage in order and returns the first rejection, or null. */
export function firstRefusal(rules: readonly WriteRule[], attempt: WriteAttempt): Rejection | null {
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i]!;
    const refusal = rule.check(attempt);
    if (refusal === null) continue;
    return typeof refusal === 'string' ? refuse(rule.name, refusal) : refusal;
  }
  return null;
}
