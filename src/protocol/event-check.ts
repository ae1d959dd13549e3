// Checks of an event that need neither its signature nor stored data: shape, size, time, and rules
// that hold for every relay.

import { isLowerHex, isWellFormed } from './canonical.ts';
import type { NostrEvent } from './event.ts';
import { isExpired } from './expiration.ts';
import { isEphemeral, KIND_AUTH, KIND_GENERIC_REPOST, KIND_MAX, KIND_REPOST } from './kinds.ts';
import type { Refusal } from './refusal.ts';
import { embedsProtected } from './repost.ts';

/** Bounds that an event has to keep to be accepted. All are inclusive. */
export interface EventLimits {
  /** UTF-8 bytes of the event's canonical JSON. */
  eventBytesMax: number;
  /** Number of tags. */
  tagsMax: number;
  /**
   * UTF-8 bytes of an indexed value: the second element of a tag named by one letter a-z or A-Z.
   */
  tagValueBytesMax: number;
  /** Unicode characters of `content` (NIP-11 max_content_length). */
  contentLengthMax: number;
  /** Largest age by created_at, in seconds; 0 = any (NIP-11 created_at_lower_limit). */
  createdAtPastSecondsMax: number;
  /**
   * Largest distance of created_at in the future, in seconds; 0 = any (NIP-11
   * created_at_upper_limit).
   */
  createdAtFutureSecondsMax: number;
  /** Largest age of an ephemeral event by created_at, in seconds; 0 = any. */
  ephemeralAgeSecondsMax: number;
}

/**
 * Checks that `value` (the result of JSON.parse on a message) is an event by NIP-01. Returns a new
 * object with exactly the fields of `NostrEvent` in canonical order, extra fields left out; or an
 * `invalid:` refusal that names the field. The hash and the signature are not checked.
 *
 * The tags are taken over, not copied: the caller gives up ownership of `value`. Where a key occurs
 * twice in the JSON text, JSON.parse keeps the last; id, signature and stored text all refer to
 * that one. `[]` is accepted as a tag.
 */
export function checkEventShape(value: unknown): NostrEvent | Refusal {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'invalid: event must be a JSON object';
  }
  const { id, pubkey, created_at, kind, tags, content, sig } = value as {
    [Field in keyof NostrEvent]?: unknown;
  };
  if (typeof id !== 'string' || !isLowerHex(id, 64)) {
    return 'invalid: id must be 64 lower-case hex characters';
  }
  if (typeof pubkey !== 'string' || !isLowerHex(pubkey, 64)) {
    return 'invalid: pubkey must be 64 lower-case hex characters';
  }
  if (typeof created_at !== 'number' || !Number.isSafeInteger(created_at) || created_at < 0) {
    return 'invalid: created_at must be an integer from 0 to 2^53-1, in seconds';
  }
  if (typeof kind !== 'number' || !Number.isInteger(kind) || kind < 0 || kind > KIND_MAX) {
    return 'invalid: kind must be an integer from 0 to 65535';
  }
  const fault = checkTags(tags);
  if (fault !== null) return fault;
  if (typeof content !== 'string') return 'invalid: content must be a string';
  if (!isWellFormed(content)) return 'invalid: content holds a lone surrogate';
  if (typeof sig !== 'string' || !isLowerHex(sig, 128)) {
    return 'invalid: sig must be 128 lower-case hex characters';
  }
  // Adding 0 turns the -0 that JSON allows into 0.
  return {
    id,
    pubkey,
    created_at: created_at + 0,
    kind: kind + 0,
    tags: tags as string[][],
    content,
    sig,
  };
}

/**
 * Checks a well-shaped event against the relay's bounds and against rules of every relay. Returns
 * null or the refusal. `canonicalBytes` is the UTF-8 length of its canonical JSON, `nowSeconds` the
 * time in seconds since 1970.
 *
 * An ephemeral event isn't stored, so NIP-40 doesn't concern it.
 */
export function checkEventLimits(
  event: NostrEvent,
  limits: EventLimits,
  nowSeconds: number,
  canonicalBytes: number,
): Refusal | null {
  return (
    checkEventSize(event, limits, canonicalBytes) ??
    checkTime(event, limits, nowSeconds) ??
    checkEventPolicy(event)
  );
}

/** Checks the size limits alone; part of `checkEventLimits`. */
export function checkEventSize(
  event: NostrEvent,
  limits: EventLimits,
  canonicalBytes: number,
): Refusal | null {
  if (canonicalBytes > limits.eventBytesMax) {
    return `invalid: event is too large: ${canonicalBytes} bytes, the limit is ${limits.eventBytesMax}`;
  }
  if (event.tags.length > limits.tagsMax) {
    return `invalid: event has too many tags: ${event.tags.length}, the limit is ${limits.tagsMax}`;
  }
  if (isLongerThan(event.content, limits.contentLengthMax)) {
    return `invalid: content is too long, the limit is ${limits.contentLengthMax} characters`;
  }
  return checkTagValues(event.tags, limits.tagValueBytesMax);
}

/**
 * Checks rules that hold for every relay regardless of size and age: rejects a NIP-42
 * authentication sent as an EVENT, and a repost that embeds a protected event (NIP-70).
 */
export function checkEventPolicy(event: NostrEvent): Refusal | null {
  if (event.kind === KIND_AUTH) {
    return 'invalid: kind 22242 authenticates a connection and is not published as an event';
  }
  const { kind, content } = event;
  if ((kind === KIND_REPOST || kind === KIND_GENERIC_REPOST) && embedsProtected(content)) {
    return 'blocked: this repost embeds a protected event';
  }
  return null;
}

/**
 * Returns true if a tag is named `-`: only the author may publish the event to a relay (NIP-70).
 */
export function isProtected(tags: readonly (readonly string[])[]): boolean {
  for (const tag of tags) if (tag[0] === '-') return true;
  return false;
}

function checkTags(tags: unknown): Refusal | null {
  if (!Array.isArray(tags)) return 'invalid: tags must be an array of arrays of strings';
  for (let i = 0; i < tags.length; i++) {
    const tag: unknown = tags[i];
    if (!Array.isArray(tag)) return `invalid: tags[${i}] must be an array of strings`;
    for (let j = 0; j < tag.length; j++) {
      const item: unknown = tag[j];
      if (typeof item !== 'string') return `invalid: tags[${i}][${j}] must be a string`;
      if (!isWellFormed(item)) return `invalid: tags[${i}][${j}] holds a lone surrogate`;
    }
  }
  return null;
}

/** Tags that name an event by its address, which is longer than the `d` that it ends with. */
const ADDRESS_TAGS: ReadonlySet<string> = new Set(['a', 'A', 'q']);
/** Bytes of `30023:`, a pubkey and a colon, the longest beginning of an address. */
const ADDRESS_PREFIX_BYTES = 71;

function checkTagValues(tags: readonly string[][], bytesMax: number): Refusal | null {
  for (let i = 0; i < tags.length; i++) {
    const tag = tags[i];
    const name = tag?.[0] ?? '';
    const value = tag?.[1] ?? '';
    // A UTF-16 unit takes at most three bytes of UTF-8, so most values need no counting.
    if (value.length * 3 <= bytesMax || !isSingleLetter(name)) continue;
    const bytes = Buffer.byteLength(value);
    const max = bytesMax + (ADDRESS_TAGS.has(name) ? ADDRESS_PREFIX_BYTES : 0);
    if (bytes > max) {
      return `invalid: the value of tags[${i}] is too long: ${bytes} bytes, the limit is ${max}`;
    }
  }
  return null;
}

function checkTime(event: NostrEvent, limits: EventLimits, nowSeconds: number): Refusal | null {
  const age = nowSeconds - event.created_at;
  if (limits.createdAtFutureSecondsMax > 0 && -age > limits.createdAtFutureSecondsMax) {
    return `invalid: created_at is more than ${limits.createdAtFutureSecondsMax} seconds in the future`;
  }
  if (limits.createdAtPastSecondsMax > 0 && age > limits.createdAtPastSecondsMax) {
    return `invalid: created_at is more than ${limits.createdAtPastSecondsMax} seconds in the past`;
  }
  if (!isEphemeral(event.kind)) {
    return isExpired(event, nowSeconds) ? 'invalid: event has expired' : null;
  }
  if (limits.ephemeralAgeSecondsMax > 0 && age > limits.ephemeralAgeSecondsMax) {
    return `invalid: ephemeral event is more than ${limits.ephemeralAgeSecondsMax} seconds old`;
  }
  return null;
}

/**
 * Returns true if `text` has more than `max` Unicode characters; counts only when its UTF-16 length
 * leaves that open.
 */
function isLongerThan(text: string, max: number): boolean {
  if (text.length <= max) return false;
  if (text.length > max * 2) return true;
  let characters = text.length;
  for (let i = 0; i < text.length; i++) {
    // A well-formed text has one low surrogate for every character beyond U+FFFF.
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) characters--;
  }
  return characters > max;
}

/** Returns true if `name` is one letter a-z or A-Z: the tags that relays index (NIP-01). */
export function isSingleLetter(name: string): boolean {
  if (name.length !== 1) return false;
  const lower = name.charCodeAt(0) | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
