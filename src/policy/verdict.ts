import type { Refusal } from '../protocol/refusal.ts';
import type { RuleName } from './rule-names.ts';

/** A no: what the client is told, and which rule said so (for decisions, counters and `wok why`). */
export interface Verdict {
  readonly refusal: Refusal;
  readonly rule: RuleName;
}

export function refuse(rule: RuleName, refusal: Refusal): Verdict {
  return { refusal, rule };
}
