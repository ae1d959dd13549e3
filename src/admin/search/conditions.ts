// Conversion of search parameters into a filter and a word matcher.

import type { NostrEvent } from '../../protocol/event.ts';
import { type Filter, parseFilter } from '../../protocol/filter.ts';
import { eventIdIn, pubkeyIn } from '../../protocol/nip19.ts';
import type { PrivateKinds } from '../../protocol/privacy.ts';
import { RpcError } from '../../rpc/method.ts';
import type { SearchParams } from '../../web/api/events.ts';

const VALUES_MAX = 500;
const TAGS_MAX = 10;
/** Tags whose values are keys or event ids and may be given as NIP-19. */
const KEYS: ReadonlySet<string> = new Set(['p', 'P']);
const IDS: ReadonlySet<string> = new Set(['e', 'E', 'q']);

/**
 * Returns the filter of a search, without the kinds hidden from the caller.
 *
 * @throws RpcError `usage` for an invalid id, key, kind, tag or time.
 */
export function filterOf(params: SearchParams, hidden: PrivateKinds): Filter {
  const { ids, authors, kinds, tags = {}, since, until } = params;
  const raw: Record<string, unknown> = {
    ...(ids && { ids: ids.map((text) => must(eventIdIn(text), text, 'an event id')) }),
    ...(authors && { authors: authors.map((text) => must(pubkeyIn(text), text, 'a public key')) }),
    ...(kinds && { kinds: kinds.filter((kind) => !hidden.has(kind)) }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
  for (const [letter, values] of Object.entries(tags)) {
    raw[`#${letter}`] = values.map((text) => tagValue(letter, text));
  }
  const filter = parseFilter(raw, { filterValuesMax: VALUES_MAX, filterTagsMax: TAGS_MAX });
  if (typeof filter === 'string') throw new RpcError('usage', `search: ${filter}.`);
  return filter;
}

/** Returns a matcher of canonical JSON: true if the content has all words, in any case. */
export function wordMatcher(text: string): (json: string) => boolean {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return () => true;
  // Words that JSON does not escape are searched in the text first: most events need no parsing.
  const plain = words.filter((word) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(word));
  return (json) => {
    const all = json.toLowerCase();
    if (!plain.every((word) => all.includes(word))) return false;
    const content = (JSON.parse(json) as NostrEvent).content.toLowerCase();
    return words.every((word) => content.includes(word));
  };
}

function tagValue(letter: string, text: string): string {
  if (KEYS.has(letter)) return pubkeyIn(text) ?? text;
  return IDS.has(letter) ? (eventIdIn(text) ?? text) : text;
}

function must(found: string | null, text: string, what: string): string {
  if (found !== null) return found;
  throw new RpcError(
    'usage',
    `"${text.slice(0, 100)}" is not ${what}, in hex or as NIP-19 has it.`,
  );
}
