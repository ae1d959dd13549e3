// Retention rules of a configuration, compiled for lookup by kind and author class.

import type { Config } from '../config/options.ts';
import { type AuthorClass, type RetentionRule, retentionRule } from '../config/retention-rule.ts';
import { holds } from '../protocol/kind-numbers.ts';
import { KindSet } from '../protocol/kind-set.ts';

/** Retention rules of a configuration; the last entry that matches an event applies. */
export class RetentionRules {
  readonly #ages: readonly RetentionRule[];
  readonly #counts: readonly RetentionRule[];
  /** Kinds that the byte budget spares. */
  readonly spared: KindSet;
  readonly bytesMax: number;
  readonly bytesTarget: number;

  constructor({ retention }: Config) {
    this.#ages = retention.age.map((text) => retentionRule(text, 'age')!);
    this.#counts = retention.count.map((text) => retentionRule(text, 'count')!);
    this.spared = new KindSet(retention.budget_kinds_spared);
    this.bytesMax = retention.mib_max * 1024 * 1024;
    this.bytesTarget = (this.bytesMax * retention.mib_target_percent) / 100;
  }

  get hasAges(): boolean {
    return this.#ages.length > 0;
  }

  get hasCounts(): boolean {
    return this.#counts.length > 0;
  }

  /** Shortest age at which any event is removed, in seconds. */
  get ageMin(): number {
    return Math.min(...this.#ages.map(({ limit }) => limit));
  }

  /** Returns true if an age is set for the kind, for any class of authors. */
  concerns(kind: number): boolean {
    return this.#ages.some(({ kinds }) => holds(kinds, kind));
  }

  ageOf(kind: number, authors: AuthorClass): RetentionRule | null {
    return last(this.#ages, kind, authors);
  }

  countOf(kind: number, authors: AuthorClass): RetentionRule | null {
    return last(this.#counts, kind, authors);
  }

  /** Returns the lowest count among the rules for a kind; Infinity without any. */
  countMin(kind: number): number {
    const limits = this.#counts.filter(({ kinds }) => holds(kinds, kind));
    return Math.min(...limits.map(({ limit }) => limit));
  }
}

function last(
  rules: readonly RetentionRule[],
  kind: number,
  authors: AuthorClass,
): RetentionRule | null {
  return rules.findLast((rule) => rule.authors === authors && holds(rule.kinds, kind)) ?? null;
}
