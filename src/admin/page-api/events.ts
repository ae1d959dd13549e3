/** Events: search, and what became of one. Types only; see api.ts. */

/** An event as NIP-01 has it. */
export interface PageEvent {
  id: string;
  pubkey: string;
  created_at: number;
  kind: number;
  tags: string[][];
  content: string;
  sig: string;
}

export interface EventVerbs {
  /** A page of a search. Ask again with `cursor: next` until `next` is null. */
  search: { params: SearchParams; result: SearchPage };
  /** What became of an event: `id` as hex, note1… or nevent1…. */
  why: { params: { id: string }; result: Why };
}

/** What is looked for: every condition that is given has to hold, of a list one value is enough. */
export interface SearchParams {
  /** Hex, note1… or nevent1…. At most 500 values in all lists together. */
  ids?: string[] | undefined;
  /** Hex, npub1… or nprofile1…. */
  authors?: string[] | undefined;
  kinds?: number[] | undefined;
  /** By one letter: `{ t: ['nostr'], p: ['npub1…'] }`. Values of e and p may be written as ids and keys above. */
  tags?: Record<string, string[]> | undefined;
  /** created_at, seconds since 1970, inclusive. */
  since?: number | undefined;
  until?: number | undefined;
  /** Words apart from each other by spaces; the content has to have each of them, in any case (A or a). */
  words?: string | undefined;
  /** Events a page: 1 … 200, default 50. */
  limit?: number | undefined;
  /** `next` of the page before; the other parameters have to be the same. */
  cursor?: string | undefined;
}

/** Newest first; within a second what came last is first. */
export interface SearchPage {
  events: FoundEvent[];
  /** For the next page; null: everything was looked at. */
  next: string | null;
  /**
   * Down to which created_at everything was looked at. A page may have few events or none and still not
   * be the last one: it ends after half a second of work. Then: "searched down to …, go on".
   */
  searchedTo: number | null;
  /** Events that were looked at for this page. */
  looked: number;
  /** Private kinds that were left out because a moderator asks (auth.private_kinds). */
  without: number[];
}

export interface FoundEvent {
  event: PageEvent;
  /** Its place in the log. */
  seq: number;
  /** When it was accepted, in seconds since 1970; null: nobody remembers. */
  receivedAt: number | null;
}

/** What `why` tells about an event. */
export interface Why {
  id: string;
  /** Where and when it was accepted, if it is here. */
  stored: {
    seq: number;
    pubkey: string;
    kind: number;
    created_at: number;
    /** Seconds since 1970; null for what was stored before wok remembered that. */
    received_at: number | null;
    expires_at: number | null;
  } | null;
  /** What was decided about it, the newest last. */
  decisions: Decided[];
  /** The lists that it, its author or its kind is on. */
  listed: ListRow[];
  /** The public keys that asked to delete it (NIP-09). */
  deletedBy: string[];
  /** Decisions about any event that were not kept since the admin room opened. */
  leftOut: number;
}

export interface Decided {
  id: string;
  /** The author as the event says, or ''. */
  pubkey: string;
  /** Seconds since 1970. */
  at: number;
  action: 'refused' | 'shadowed' | 'quarantined' | 'removed';
  /** The rule that decided; for what was removed why: `replaced`, `deleted`, `moderation`, … */
  rule: string;
  /** Which plugin, or who removed it; '' otherwise. */
  by: string;
  /** What the client was told, or the reason. */
  text: string;
}

/** Something or somebody that is banned or allowed. */
export interface ListRow {
  /** `author`: what somebody had written until `until` was removed and does not come back. */
  list: 'pubkey' | 'author' | 'event' | 'kind' | 'ip';
  subject: string;
  stance: 'ban' | 'allow';
  reason: string;
  /** `shell`, `relay`, or a public key. */
  by: string;
  /** Seconds since 1970. */
  at: number;
  expires_at: number | null;
  until: number | null;
}
