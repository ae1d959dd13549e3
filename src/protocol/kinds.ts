// Kind numbers that the relay knows, and the classes of kinds (NIP-01).

/** Class of a kind, which decides how a relay stores its events (NIP-01). */
export type KindClass = 'regular' | 'replaceable' | 'ephemeral' | 'addressable';

/** Largest kind number (NIP-01). */
export const KIND_MAX = 65_535;

/** User metadata (NIP-01), replaceable. */
export const KIND_METADATA = 0;
/** Follow list (NIP-02), replaceable. */
export const KIND_FOLLOWS = 3;
/** Deletion request (NIP-09). */
export const KIND_DELETION = 5;
/** Repost of a kind 1 (NIP-18); its content may embed the reposted event. */
export const KIND_REPOST = 6;
/** Repost of any other kind (NIP-18). */
export const KIND_GENERIC_REPOST = 16;
/** Request to vanish (NIP-62). */
export const KIND_VANISH = 62;
/** Gift wrap (NIP-59), stored, meant for its `p`-tagged recipient. */
export const KIND_GIFT_WRAP = 1059;
/** Gift wrap that is never stored (NIP-59). */
const KIND_EPHEMERAL_GIFT_WRAP = 21_059;
/** Report (NIP-56). */
export const KIND_REPORT = 1984;
/** HTTP authorization (NIP-98). */
export const KIND_HTTP_AUTH = 27_235;
/** Relay list of a user, for writing and reading (NIP-65), replaceable. */
export const KIND_RELAY_LIST = 10_002;
/** Announcement of a relay (NIP-66), addressable by its URL. */
export const KIND_RELAY_DISCOVERY = 30_166;
/** Relays at which a user receives private messages (NIP-17), replaceable. */
export const KIND_DM_RELAYS = 10_050;
/** Addition and removal of a member of the relay (NIP-43); signed by the relay. */
export const KIND_MEMBER_ADDED = 8_000;
export const KIND_MEMBER_REMOVED = 8_001;
/** Member list of the relay (NIP-43), replaceable. */
export const KIND_MEMBER_LIST = 13_534;
/** Requests to join and to leave the relay (NIP-43). */
export const KIND_JOIN = 28_934;
export const KIND_LEAVE = 28_936;
/** Invite code that the relay makes on request (NIP-43). */
export const KIND_INVITE = 28_935;
/** Receipt of the relay for a request to vanish: application data (NIP-78), addressable. */
export const KIND_VANISH_RECEIPT = 30_078;
/** Role that members may have (NIP-43), addressable. */
export const KIND_ROLE = 33_534;
/** Client authentication (NIP-42); never published as an event. */
export const KIND_AUTH = 22_242;

/**
 * Returns true if only the newest event of each pubkey and kind is kept: kinds 0, 3 and 10000 …
 * 19999.
 */
export function isReplaceable(kind: number): boolean {
  return kind === KIND_METADATA || kind === KIND_FOLLOWS || (kind >= 10_000 && kind < 20_000);
}

/** Returns true if the event is delivered but never stored: kinds 20000 … 29999. */
export function isEphemeral(kind: number): boolean {
  return kind >= 20_000 && kind < 30_000;
}

/**
 * Returns true if only the newest event of each pubkey, kind and `d` tag is kept: kinds 30000 …
 * 39999.
 */
export function isAddressable(kind: number): boolean {
  return kind >= 30_000 && kind < 40_000;
}

/**
 * Returns true for a gift wrap of either kind; its `p`-tagged recipients may delete it (NIP-59).
 */
export function isGiftWrap(kind: number): boolean {
  return kind === KIND_GIFT_WRAP || kind === KIND_EPHEMERAL_GIFT_WRAP;
}

/**
 * Returns the class of a kind by the ranges of NIP-01.
 *
 * NIP-01 leaves some numbers without a class (45 … 999 except the named ones, 40000 and above);
 * here they are regular, so 41 and 78 are, too.
 */
export function kindClass(kind: number): KindClass {
  if (isReplaceable(kind)) return 'replaceable';
  if (isEphemeral(kind)) return 'ephemeral';
  if (isAddressable(kind)) return 'addressable';
  return 'regular';
}
