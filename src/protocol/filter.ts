// Filters (NIP-01): parsing, matching against events, and the tags of an event that filters can ask
// for.

import { element } from '../lib/assert.ts';
import { areIds, isWellFormed } from './canonical.ts';
import type { NostrEvent } from './event.ts';
import { isSingleLetter } from './event-check.ts';
import { KIND_MAX } from './kinds.ts';
import type { Refusal } from './refusal.ts';

/** Tag condition `#x`: the event has a tag of this letter with one of these values. */
export interface TagCondition {
  /** Letter a-z or A-Z. */
  readonly letter: string;
  /** Distinct values, in the client's order. */
  readonly values: readonly string[];
}

/**
 * Filter (NIP-01) after its check: plain data that may cross threads. Every field is present, null
 * where the client set no condition. Lists hold distinct values in the client's order.
 */
export interface Filter {
  readonly ids: readonly string[] | null;
  readonly authors: readonly string[] | null;
  readonly kinds: readonly number[] | null;
  /** Tag conditions, which all have to hold; empty when there is none. */
  readonly tags: readonly TagCondition[];
  /** Seconds since 1970, inclusive, 0 … 2^53-1. */
  readonly since: number | null;
  /** Seconds since 1970, inclusive, 0 … 2^53-1. */
  readonly until: number | null;
  /**
   * Limit as the client asked; null = not given. The query caps it, and says so in its answer
   * (NIP-67).
   */
  readonly limit: number | null;
  /** True if no event can match: an empty list, or a time range without a second in it. */
  readonly matchesNothing: boolean;
}

/** Bounds that a filter has to keep. */
export interface FilterLimits {
  /** Number of values in all lists of one filter together. */
  filterValuesMax: number;
  /** Number of `#x` conditions in one filter. */
  filterTagsMax: number;
}

/** Predicate that returns true if an event matches a filter; made by `compileFilter`. */
export type Matcher = (event: NostrEvent) => boolean;

/** Tag that relays index: named by one letter, with a value. More elements may follow. */
type IndexedTag = readonly [letter: string, value: string, ...rest: string[]];

const TIME_MAX = Number.MAX_SAFE_INTEGER;
/**
 * Number of values up to which reading a list through is as fast as asking a Set (40 ns, Node
 * 20.20).
 */
const SCANNED_VALUES_MAX = 4;
/** Number of leading characters of an id or pubkey that are hashed in `distinctHex`. */
const HASHED_CHARACTERS = 12;
/** Number of probes beyond which the values must have been chosen to collide. */
const STEPS_MAX = 32;
/** Number of tags up to which `indexedTags` looks for repetition without a Set. */
const SCANNED_TAGS_MAX = 8;

/**
 * Parses a filter as a client sent it (one element of REQ or COUNT, after JSON.parse).
 *
 * Returns the filter, or a refusal for CLOSED: `invalid:` for a value of the wrong type or form
 * (ids, authors, #e and #p are exact lower-case hex), `unsupported:` for an unknown key, `error:`
 * for a filter over the bounds. since and until outside 0 … 2^53-1 are clamped; where that would
 * let an event pass that the client excluded, the filter matches nothing.
 */
export function parseFilter(value: unknown, limits: FilterLimits): Filter | Refusal {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'invalid: filter must be a JSON object';
  }
  let ids: readonly string[] | null = null;
  let authors: readonly string[] | null = null;
  let kinds: readonly number[] | null = null;
  const tags: TagCondition[] = [];
  let since: number | null = null;
  let until: number | null = null;
  let limit: number | null = null;
  let matchesNothing = false;
  let valueCount = 0;

  for (const [key, given] of Object.entries(value)) {
    if (key === 'since' || key === 'until') {
      if (!isInteger(given)) return `invalid: filter ${key} must be an integer, in seconds`;
      const clamped = Math.min(Math.max(given, 0), TIME_MAX);
      if (key === 'since') since = clamped;
      else until = clamped;
      matchesNothing ||= key === 'since' ? given > clamped : given < clamped;
    } else if (key === 'limit') {
      if (!isInteger(given) || given < 0) return 'invalid: filter limit must be an integer >= 0';
      limit = given + 0;
    } else {
      const letter = tagLetter(key);
      if (letter === null && key !== 'ids' && key !== 'authors' && key !== 'kinds') {
        return `unsupported: filter contains unknown elements: ${JSON.stringify(key.slice(0, 32))}`;
      }
      if (!Array.isArray(given)) return `invalid: filter ${key} must be a list`;
      valueCount += given.length;
      if (valueCount > limits.filterValuesMax) {
        return `error: filter has too many values, the limit is ${limits.filterValuesMax}`;
      }
      matchesNothing ||= given.length === 0;
      if (key === 'kinds') {
        if (!given.every(isKind)) return 'invalid: filter kinds must be integers from 0 to 65535';
        // Adding 0 turns the -0 that JSON allows into 0.
        kinds = withoutRepetition<number>(given.map((kind: number) => kind + 0));
      } else {
        const fault = checkStrings(key, given);
        if (fault !== null) return fault;
        const values = isHexKey(key) ? distinctHex(given) : withoutRepetition<string>(given);
        if (key === 'ids') ids = values;
        else if (key === 'authors') authors = values;
        else if (letter !== null) tags.push({ letter, values });
      }
    }
  }
  if (tags.length > limits.filterTagsMax) {
    return `error: filter has too many tag conditions, the limit is ${limits.filterTagsMax}`;
  }
  if (since !== null && until !== null && since > until) matchesNothing = true;
  return { ids, authors, kinds, tags, since, until, limit, matchesNothing };
}

/**
 * Returns the function that tells if an event matches every condition of the filter; `limit` isn't
 * one (NIP-01). Long lists become Sets, once; the matcher keeps references to the filter's lists.
 */
export function compileFilter(filter: Filter): Matcher {
  if (filter.matchesNothing) return () => false;
  const { ids, authors, kinds } = filter;
  const since = filter.since ?? 0;
  const until = filter.until ?? TIME_MAX;
  const idSet = setOf(ids);
  const authorSet = setOf(authors);
  const kindSet = setOf(kinds);
  const tags = filter.tags.map(({ letter, values }) => ({ letter, values, set: setOf(values) }));
  return (event) => {
    if (event.created_at < since || event.created_at > until) return false;
    if (kinds !== null && !(kindSet?.has(event.kind) ?? kinds.includes(event.kind))) return false;
    if (authors !== null && !(authorSet?.has(event.pubkey) ?? authors.includes(event.pubkey))) {
      return false;
    }
    if (ids !== null && !(idSet?.has(event.id) ?? ids.includes(event.id))) return false;
    for (let i = 0; i < tags.length; i++) {
      const { letter, values, set } = element(tags[i]);
      if (!hasTagIn(event.tags, letter, values, set)) return false;
    }
    return true;
  };
}

/**
 * Returns the tags of an event that filters can ask for, in the order of the event, each pair of
 * letter and value once. Tags without a value are left out, and so are `e` and `p` tags with a
 * value that hasn't 64 characters: no filter may ask for them.
 */
export function indexedTags(event: Pick<NostrEvent, 'tags'>): IndexedTag[] {
  const found: IndexedTag[] = [];
  let seen: Set<string> | null = null;
  for (const tag of event.tags) {
    const letter = tag[0];
    const value = tag[1];
    if (letter === undefined || value === undefined || !isSingleLetter(letter)) continue;
    if ((letter === 'e' || letter === 'p') && value.length !== 64) continue;
    if (seen === null && found.length === SCANNED_TAGS_MAX) {
      seen = new Set(found.map(([name, text]) => name + text));
    }
    if (seen === null) {
      if (holds(found, letter, value)) continue;
    } else {
      const count = seen.size;
      if (seen.add(letter + value).size === count) continue;
    }
    found.push(tag as unknown as IndexedTag);
  }
  return found;
}

function holds(tags: readonly IndexedTag[], letter: string, value: string): boolean {
  for (const tag of tags) if (tag[1] === value && tag[0] === letter) return true;
  return false;
}

function hasTagIn(
  tags: readonly (readonly string[])[],
  letter: string,
  values: readonly string[],
  set: ReadonlySet<string> | null,
): boolean {
  for (let i = 0; i < tags.length; i++) {
    const tag = tags[i];
    if (tag?.[0] !== letter) continue;
    const value = tag[1];
    if (value === undefined) continue;
    if (set === null ? values.includes(value) : set.has(value)) return true;
  }
  return false;
}

function setOf<T>(values: readonly T[] | null): ReadonlySet<T> | null {
  return values !== null && values.length > SCANNED_VALUES_MAX ? new Set(values) : null;
}

function checkStrings(key: string, values: readonly unknown[]): Refusal | null {
  if (isHexKey(key)) {
    if (areIds(values)) return null;
    return `invalid: filter ${key} must hold 64 lower-case hex characters each`;
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'string') return `invalid: filter ${key} must hold strings`;
    // No event has such a text, and in transfer to another thread it would turn into one that
    // events may have.
    if (!isWellFormed(value)) return `invalid: filter ${key} holds a lone surrogate`;
  }
  return null;
}

function isHexKey(key: string): boolean {
  return key === 'ids' || key === 'authors' || key === '#e' || key === '#p';
}

/** Hash table of `distinctHex`: 1-based positions of values; cleared before each use. */
let places = new Int32Array(0);

/**
 * Returns the distinct ids or pubkeys, in order. Few characters tell most of them apart, so it
 * takes 9 µs for 300 where `withoutRepetition` takes 50. The list is compacted in place.
 */
function distinctHex(values: string[]): readonly string[] {
  if (values.length <= SCANNED_VALUES_MAX) return withoutRepetition(values);
  const size = 2 << (32 - Math.clz32(values.length));
  if (places.length < size) places = new Int32Array(size);
  places.fill(0, 0, size);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = element(values[i]);
    let place = 0;
    for (let at = 0; at < HASHED_CHARACTERS; at++) place = (place * 31 + value.charCodeAt(at)) | 0;
    place = (place ^ (place >>> 15)) & (size - 1);
    let steps = 0;
    while (places[place] !== 0 && values[element(places[place]) - 1] !== value) {
      if (++steps > STEPS_MAX) {
        return withoutRepetition([...values.slice(0, count), ...values.slice(i)]);
      }
      place = (place + 1) & (size - 1);
    }
    if (places[place] !== 0) continue;
    values[count++] = value;
    places[place] = count;
  }
  values.length = count;
  return values;
}

function withoutRepetition<T>(values: T[]): readonly T[] {
  if (values.length < 2) return values;
  const distinct = new Set(values);
  return distinct.size === values.length ? values : [...distinct];
}

function tagLetter(key: string): string | null {
  if (key.length !== 2 || key[0] !== '#') return null;
  const letter = key.slice(1);
  return isSingleLetter(letter) ? letter : null;
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value);
}

function isKind(value: unknown): boolean {
  return isInteger(value) && value >= 0 && value <= KIND_MAX;
}

/** Returns a filter as JSON has it (NIP-01), without the conditions that are not set. */
export function filterJson(filter: Filter): Record<string, unknown> {
  const { tags, matchesNothing: _, ...conditions } = filter;
  const set = Object.entries(conditions).filter(([, value]) => value !== null);
  return Object.fromEntries([...set, ...tags.map(({ letter, values }) => [`#${letter}`, values])]);
}
