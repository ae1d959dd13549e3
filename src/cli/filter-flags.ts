// Flags of the commands that select events, and the filters that they make.

import { type Filter, parseFilter } from '../protocol/filter.ts';
import { OPERATOR_LIMITS } from '../protocol/filter-text.ts';
import { parsePubkey } from '../protocol/nip19.ts';
import { type Call, type Flag, UsageError } from './command.ts';

/**
 * Flags that select events. Together they form one filter; with `--filter` the others are added to
 * each of its filters.
 */
export const filterFlags: readonly Flag[] = [
  {
    name: '--filter <json>',
    text: 'A Nostr filter, or a list of filters; may be repeated',
    repeatable: true,
  },
  {
    name: '--since <time>',
    text: 'Events from this time on: seconds since 1970, or a date (2026-01-31)',
  },
  { name: '--until <time>', text: 'Events up to this time' },
  {
    name: '--kinds <numbers>',
    text: 'Of these kinds, like 0,3,30023; may be repeated',
    repeatable: true,
  },
  {
    name: '--authors <keys>',
    text: 'By these authors, as hex or npub1…, separated by commas; may be repeated',
    repeatable: true,
  },
];

/**
 * Returns the filters that a call asks for; one without conditions if it asks for nothing.
 *
 * @throws UsageError
 */
export function filtersOfCall({ flags }: Call): Filter[] {
  const typed: Record<string, unknown> = {};
  for (const name of ['since', 'until'] as const) {
    const text = flags.last(name);
    if (text !== undefined) typed[name] = timeOf(name, text);
  }
  const kinds = flags.all('kinds').flatMap((text) => text.split(','));
  if (kinds.length > 0) typed.kinds = kinds.map(kindOf);
  const authors = flags.all('authors').flatMap((text) => text.split(','));
  if (authors.length > 0) typed.authors = authors.map(authorOf);
  const json = flags.all('filter');
  if (json.length === 0) return [checked(typed)];
  return json
    .flatMap((text) => parseFilters(text, '--filter'))
    .map((one) => {
      for (const name of Object.keys(typed)) {
        if (Object.hasOwn(one, name))
          throw new UsageError(`--${name} is also in --filter; use one.`);
      }
      return checked({ ...one, ...typed });
    });
}

/** Parses the filters of an argument: one, or a list of them. @throws UsageError */
export function filtersOfText(json: string): Filter[] {
  return parseFilters(json, 'The filter').map(checked);
}

function parseFilters(json: string, name: string): Record<string, unknown>[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new UsageError(`${name} is not JSON; write it like '{"kinds":[1],"limit":10}'.`);
  }
  const filters = Array.isArray(value) ? value : [value];
  if (filters.length === 0 || filters.some((one) => typeof one !== 'object' || one === null)) {
    throw new UsageError(`${name} must be a filter, or a list of filters.`);
  }
  return filters as Record<string, unknown>[];
}

function checked(value: unknown): Filter {
  const filter = parseFilter(value, OPERATOR_LIMITS);
  if (typeof filter === 'string') throw new UsageError(filter);
  return filter;
}

/** Returns the seconds of a flag's time: seconds since 1970, or a date. @throws UsageError */
export function timeOf(name: string, text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.floor(Date.parse(text) / 1000);
  if (Number.isSafeInteger(seconds)) return seconds;
  throw new UsageError(`--${name} must be seconds since 1970 or a date like 2026-01-31.`);
}

function kindOf(text: string): number {
  if (/^\s*\d+\s*$/.test(text)) return Number(text);
  throw new UsageError(`--kinds must be numbers separated by commas, not "${text}".`);
}

function authorOf(text: string): string {
  const key = text.trim();
  const pubkey = parsePubkey(key);
  if (pubkey !== undefined) return pubkey;
  throw new UsageError(
    `--authors must be public keys of 64 hex characters or npub1…, not "${key}".`,
  );
}
