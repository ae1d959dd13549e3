import type { NostrEvent } from '../protocol/event.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { Client } from './rates/rates.ts';
import type { RuleName } from './rule-names.ts';
import { refuse, type Verdict } from './verdict.ts';

/** An event that somebody wants to write. One object is used again and again: rules keep nothing of it. */
export interface WriteAttempt {
  event: NostrEvent;
  /** Whose rates it counts against; null for exempt clients and for what no client sent. */
  client: Client | null;
  /** The pubkeys that have authenticated on its connection (NIP-42). */
  authed: ReadonlySet<string>;
  /** Behind the signature: it is certainly not stored yet. Copies of what is cost nobody anything. */
  isNew: boolean;
  /** Seconds since 1970. */
  now: number;
}

/**
 * One condition for writes. A rule that is off is not in the pipeline at all, so that it costs nothing;
 * one that is on costs single microseconds and never waits.
 */
export interface WriteRule {
  readonly name: RuleName;
  /**
   * `claimed`: looks only at what the event says of itself, before hash and signature are checked.
   * `proven`: its author is known; what is charged to a key or fetched because of it stands here.
   */
  readonly stage: 'claimed' | 'proven';
  /** Why not, or null. A rule that stands for several says which of them it was. */
  check(attempt: WriteAttempt): Refusal | Verdict | null;
}

/** The rules of one stage in their order; the first that refuses decides. */
export function firstRefusal(rules: readonly WriteRule[], attempt: WriteAttempt): Verdict | null {
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i]!;
    const refusal = rule.check(attempt);
    if (refusal === null) continue;
    return typeof refusal === 'string' ? refuse(rule.name, refusal) : refusal;
  }
  return null;
}
