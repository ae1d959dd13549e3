// Relays that authors name in their relay lists (NIP-65), as far as they are stored here.

import type { NostrEvent } from '../protocol/event.ts';
import type { Filter } from '../protocol/filter.ts';
import { KIND_RELAY_LIST } from '../protocol/kinds.ts';
import { relayHost } from '../protocol/relay-url.ts';
import { select } from '../store/read/select.ts';
import type { LocalEvents } from './local-set.ts';

/** Relay that authors write to. */
export interface WrittenTo {
  readonly url: string;
  readonly authors: readonly string[];
}

/** Options of the choice of relays. */
interface RelayListOptions {
  readonly max: number;
  /** Addresses of this relay, which are left out. */
  readonly own: readonly string[];
  /** True if the connections go through Tor. */
  readonly onion: boolean;
  /** Only for tests: addresses count that are not public. */
  readonly anyAddress: boolean;
}

/** Number of relays of one list that count, the first ones. */
const RELAYS_A_LIST = 8;

/**
 * Returns the relays that most of these authors write to, by the relay lists that are stored here,
 * the most named first. Addresses that cannot be public, and those of this relay, are left out,
 * because a list may name any address: only `wss://` with a host name counts, and with `onion`
 * `ws://` with one of Tor.
 */
export function relaysOf(
  { db, hasher }: LocalEvents,
  authors: readonly string[],
  { max, own, onion, anyAddress }: RelayListOptions,
): WrittenTo[] {
  const hosts = new Set(own.map(relayHost));
  const writers = new Map<string, string[]>();
  const filter: Filter = {
    ids: null,
    authors,
    kinds: [KIND_RELAY_LIST],
    tags: [],
    since: null,
    until: null,
    limit: null,
    matchesNothing: authors.length === 0,
  };
  const nowSeconds = null;
  for (const { json } of select({
    db,
    hasher,
    filters: [filter],
    direction: 'downwards',
    nowSeconds,
  })) {
    const { pubkey, tags } = JSON.parse(json) as NostrEvent;
    const named = tags.flatMap(([name, text, use]) => {
      if (name !== 'r' || text === undefined || use === 'read') return [];
      const url = anyAddress && URL.canParse(text) ? new URL(text).href : publicUrl(text, onion);
      return url === null || hosts.has(relayHost(url)) ? [] : [url];
    });
    for (const url of new Set(named.slice(0, RELAYS_A_LIST))) {
      const list = writers.get(url);
      if (list === undefined) writers.set(url, [pubkey]);
      else if (!list.includes(pubkey)) list.push(pubkey);
    }
  }
  return [...writers]
    .map(([url, found]) => ({ url, authors: found.sort() }))
    .sort((a, b) => b.authors.length - a.authors.length || (a.url < b.url ? -1 : 1))
    .slice(0, max);
}

/** Returns an address in its normal form, or null if it is not one of a public relay. */
function publicUrl(text: string, onion: boolean): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  const { protocol, hostname, username, hash } = url;
  if (username !== '' || hash !== '') return null;
  if (/\.onion$/.test(hostname)) return onion && /^wss?:$/.test(protocol) ? url.href : null;
  const isName = /^(?=.*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}$/.test(hostname);
  const isLocal = /\.(?:local|localhost|internal|lan|home|arpa|test|invalid|example)$/.test(
    hostname,
  );
  return protocol === 'wss:' && isName && !isLocal ? url.href : null;
}
