import { durationSeconds } from '../lib/duration.ts';
import { type KindValue, kindValue } from './kind-values.ts';

/** Whose events a rule of retention is about. */
export type AuthorClass = 'members' | 'others';

/** One entry of `retention.age` or `retention.count`. */
export interface RetentionRule {
  /** As it was written. */
  text: string;
  kinds: KindValue['kinds'];
  authors: AuthorClass;
  /** Seconds, or events. */
  limit: number;
}

const COUNT_MAX = 1e9;

/**
 * Reads `7=30d`, `regular=1y` or `1@members=10y` (`unit` age), or `7=1000` (`unit` count). Without a class
 * a rule is about others, because members are spared. Undefined for what is no such rule.
 */
export function retentionRule(text: string, unit: 'age' | 'count'): RetentionRule | undefined {
  const [, kinds, authors = 'others', value] =
    /^([^@=]+)(?:@(members|others))?=(.+)$/.exec(text) ?? [];
  if (kinds === undefined) return undefined;
  const found = kindValue(`${kinds}=${value}`);
  if (found === undefined) return undefined;
  const limit = unit === 'age' ? durationSeconds(value!) : countOf(value!);
  if (limit === null) return undefined;
  return { text, kinds: found.kinds, authors: authors as AuthorClass, limit };
}

function countOf(text: string): number | null {
  const isCount = /^\d{1,10}$/.test(text) && Number(text) <= COUNT_MAX;
  return isCount ? Number(text) : null;
}
