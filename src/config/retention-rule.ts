// Parser of the entries of `retention.age` and `retention.count`.

import { durationSeconds } from '../lib/duration.ts';
import { type KindValue, kindValue } from '../protocol/kind-values.ts';

/** Class of authors that a retention rule applies to. */
export type AuthorClass = 'members' | 'others';

/** Entry of `retention.age` or `retention.count`. */
export interface RetentionRule {
  /** Entry as it was written. */
  text: string;
  kinds: KindValue['kinds'];
  authors: AuthorClass;
  /** Limit in seconds (age) or events (count). */
  limit: number;
}

const COUNT_MAX = 1e9;

/**
 * Parses `7=30d`, `regular=1y` or `1@members=10y` (`unit` age), or `7=1000` (`unit` count); returns
 * undefined if the text is not such a rule. A rule without a class applies to others, because
 * members are spared.
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
