import type { Config } from '../config/options.ts';
import { firstRefusal, type WriteAttempt, type WriteRule } from './rule.ts';
import { kindsRule } from './rules/kinds.ts';
import type { Verdict } from './verdict.ts';

/**
 * What a configuration demands of writes, compiled once: only the rules that are on, in the order of
 * what they cost. An ingester lane makes a new one when the configuration changes.
 */
export class WritePolicy {
  readonly #claimed: readonly WriteRule[];
  readonly #proven: readonly WriteRule[];

  constructor(config: Config) {
    const rules = [kindsRule(config)].filter((rule) => rule !== null);
    this.#claimed = rules.filter(({ stage }) => stage === 'claimed');
    this.#proven = rules.filter(({ stage }) => stage === 'proven');
  }

  /** Before hash and signature. */
  claimed(attempt: WriteAttempt): Verdict | null {
    return firstRefusal(this.#claimed, attempt);
  }

  /** When the author has signed it and it is new. */
  proven(attempt: WriteAttempt): Verdict | null {
    return firstRefusal(this.#proven, attempt);
  }
}
