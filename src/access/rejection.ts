// Rejection of an event and the function that makes one.

import type { RuleName } from '../config/rule-names.ts';
import type { Refusal } from '../protocol/refusal.ts';

/** Rejection: the text for the client, and the rule (for records, counters and `wok why`). */
export interface Rejection {
  readonly refusal: Refusal;
  readonly rule: RuleName;
}

export function refuse(rule: RuleName, refusal: Refusal): Rejection {
  return { refusal, rule };
}
