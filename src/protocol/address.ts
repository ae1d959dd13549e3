// Addresses of replaceable and addressable events (NIP-01), and the order of events that decides
// which version is kept.

import { isLowerHex } from './canonical.ts';
import type { NostrEvent } from './event.ts';
import { isAddressable, isReplaceable } from './kinds.ts';

/** Target of an `a` tag (NIP-01): the newest event of a kind, a pubkey and a `d` tag. */
interface Address {
  /** Replaceable or addressable kind. */
  kind: number;
  /** 64 lower-case hex characters. */
  pubkey: string;
  /** Value of the `d` tag; always empty for a replaceable kind. */
  d: string;
}

/** Returns the value of the first `d` tag; empty when there is none or it has no value (NIP-01). */
export function dTagOf(event: Pick<NostrEvent, 'tags'>): string {
  for (const tag of event.tags) if (tag[0] === 'd') return tag[1] ?? '';
  return '';
}

/**
 * Returns `kind:pubkey:d` of an event that newer ones replace, null for all others. A replaceable
 * event's `d` tag is ignored: its address ends with the colon.
 */
export function addressOf(event: Pick<NostrEvent, 'kind' | 'pubkey' | 'tags'>): string | null {
  if (isReplaceable(event.kind)) return `${event.kind}:${event.pubkey}:`;
  if (isAddressable(event.kind)) return `${event.kind}:${event.pubkey}:${dTagOf(event)}`;
  return null;
}

/**
 * Parses the value of an `a` tag. Returns null when no event can have that address: a kind that
 * isn't replaceable or addressable or has leading zeros, a pubkey that isn't 64 lower-case hex
 * characters, a missing second colon (NIP-01 asks for it), a `d` after a replaceable kind. `d` may
 * hold colons.
 */
export function parseAddress(text: string): Address | null {
  const first = text.indexOf(':');
  if (first < 1 || first > 5) return null;
  const second = text.indexOf(':', first + 1);
  if (second < 0) return null;
  const kindText = text.slice(0, first);
  if (!/^(?:0|[1-9][0-9]*)$/.test(kindText)) return null;
  const kind = Number(kindText);
  const pubkey = text.slice(first + 1, second);
  if (!isLowerHex(pubkey, 64)) return null;
  const d = text.slice(second + 1);
  if (isAddressable(kind) || (isReplaceable(kind) && d === '')) return { kind, pubkey, d };
  return null;
}

/**
 * Returns true if `a` comes before `b` in the relay's order: larger created_at, or at the same
 * second the lower id (NIP-01). This order decides which version of a replaceable event is kept,
 * and how the answer to a REQ is sorted.
 */
export function isNewer(
  a: Pick<NostrEvent, 'created_at' | 'id'>,
  b: Pick<NostrEvent, 'created_at' | 'id'>,
): boolean {
  return a.created_at > b.created_at || (a.created_at === b.created_at && a.id < b.id);
}
