// Types of the admin page's calls about events: search, and the fate of one. Types only, shared
// with the browser; see api.ts.

/** Event as of NIP-01. */
export interface PageEvent {
  id: string;
  pubkey: string;
  created_at: number;
  kind: number;
  tags: string[][];
  content: string;
  sig: string;
}

export interface EventMethods {
  /** Returns a page of a search. Call again with `cursor: next` until `next` is null. */
  search: { params: SearchParams; result: SearchPage };
  /** Returns the fate of an event: `id` as hex, note1… or nevent1…. */
  why: { params: { id: string }; result: Why };
}

/** Search conditions: all that are given have to match, each list by one of its values. */
export interface SearchParams {
  /** Hex, note1… or nevent1…. At most 500 values in all lists together. */
  ids?: string[] | undefined;
  /** Hex, npub1… or nprofile1…. */
  authors?: string[] | undefined;
  kinds?: number[] | undefined;
  /**
   * Values by tag letter: `{ t: ['nostr'], p: ['npub1…'] }`. Values of e, E and q may be written
   * as ids above, values of p and P as keys.
   */
  tags?: Record<string, string[]> | undefined;
  /** Range of created_at, in seconds since 1970, inclusive. */
  since?: number | undefined;
  until?: number | undefined;
  /** Words separated by spaces; the content has to contain each of them, in any case (A or a). */
  words?: string | undefined;
  /** Number of events in a page: 1 … 200, default 50. */
  limit?: number | undefined;
  /** `next` of the previous page; the other parameters have to be the same. */
  cursor?: string | undefined;
}

/** Page of results, newest first; within a second, the last stored one first. */
export interface SearchPage {
  events: FoundEvent[];
  /** Cursor of the next page; null: everything was searched. */
  next: string | null;
  /**
   * created_at down to which everything was searched. A page may have few events or none and still
   * not be the last one: it ends after half a second of work. Then: "searched down to …, go on".
   */
  searchedTo: number | null;
  /** Number of events examined for this page. */
  looked: number;
  /** Private kinds that were left out because the caller is a moderator (auth.private_kinds). */
  without: number[];
}

export interface FoundEvent {
  event: PageEvent;
  /** Seq in the log. */
  seq: number;
  /** Time of acceptance, in seconds since 1970; null if it was not recorded. */
  receivedAt: number | null;
}

/** Fate of an event, as `why` returns it. */
export interface Why {
  id: string;
  /** Seq and time of its acceptance; null if it is not stored. */
  stored: {
    seq: number;
    pubkey: string;
    kind: number;
    created_at: number;
    /** Seconds since 1970; null for events stored before wok recorded it. */
    received_at: number | null;
    expires_at: number | null;
  } | null;
  /** Rejection records about it, the newest last. */
  rejections: Decided[];
  /** List entries of the event, its author and its kind. */
  listed: ListRow[];
  /** Public keys that asked to delete it (NIP-09). */
  deletedBy: string[];
  /** Number of records, about any event, dropped since the admin worker started. */
  omitted: number;
}

export interface Decided {
  id: string;
  /** Author as given by the event, or ''. */
  pubkey: string;
  /** Seconds since 1970. */
  at: number;
  action: 'refused' | 'shadowed' | 'quarantined' | 'removed';
  /** Rule that decided; for removed events the cause: `replaced`, `deleted`, `moderation`, … */
  rule: string;
  /** Plugin that decided, or the remover; '' otherwise. */
  by: string;
  /** Text sent to the client, or the reason. */
  text: string;
}

/** Ban or allowance. */
export interface ListRow {
  /** `author`: events of the key up to `until` were removed and are refused. */
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
