// Types of the admin page's calls about reports, quarantine, lists and the audit log. Types only,
// shared with the browser; see api.ts.

import type { ListRow, PageEvent } from './events.ts';
import type { Author } from './people.ts';

/** Name of a list; moderators see and change pubkey, author and event. */
export type ListName = ListRow['list'];

export interface ModerationMethods {
  /**
   * Returns a page of the report queue: targets with the most reports of trusted people first, then
   * those with the most reports. `offset`: number to skip, default 0; `limit`: 1 … 100,
   * default 20.
   */
  'mod.queue': { params: { offset?: number; limit?: number }; result: QueuePage };
  /** Returns the reports about a target (hex). `limit`: default 100. */
  'mod.report': { params: { target: string; limit?: number }; result: ReportRow[] };
  /** Takes a target off the queue; `keep`: reports of this event are never queued again. */
  'mod.dismiss': {
    params: { target: string; reason?: string; keep?: boolean };
    result: { reports: number };
  };

  /** Returns quarantined events past `after`, the oldest first. `limit`: 1 … 100, default 20. */
  'mod.held': { params: { after?: string; limit?: number }; result: HeldPage };
  /** Stores a quarantined event, or all of an author (hex). */
  'mod.release': { params: { subject: string; reason?: string }; result: { events: number } };
  /** Drops a quarantined event, or all of an author (hex). */
  'mod.discard': { params: { subject: string; reason?: string }; result: { events: number } };

  /**
   * Returns a page of a list ordered by subject. `find`: only entries with this text in their
   * subject or reason, in any case; npub1… finds the key. `limit`: 1 … 500, default 100.
   */
  'mod.listed': {
    params: {
      list: ListName;
      stance: 'ban' | 'allow';
      find?: string;
      after?: string;
      limit?: number;
    };
    result: ListPage;
  };
  /**
   * Bans or allows, in effect at once. `subject`: hex or npub1…, an event id (hex, note1…,
   * nevent1…), a kind, an address or network. `expiresAt`: seconds since 1970, 0 (the default):
   * never. `remove`, with a ban of a pubkey: also removes its events; `removed` is their number.
   */
  'mod.put': {
    params: {
      list: Exclude<ListName, 'author'>;
      subject: string;
      stance: 'ban' | 'allow';
      reason?: string;
      expiresAt?: number;
      remove?: boolean;
    };
    result: { removed: number | null };
  };
  /** Takes a ban or an allowance back; `taken` is false if there was none. */
  'mod.take': {
    params: { list: ListName; subject: string; stance: 'ban' | 'allow'; reason?: string };
    result: { taken: boolean };
  };
  /** Removes an event for good, or all events that an author has written so far. */
  'mod.remove': {
    params: { what: 'event' | 'author'; subject: string; reason?: string };
    result: { removed: number | null };
  };

  /**
   * Returns the audit log, newest first: rows before `before` (the `n` of the last row of the page
   * before). `subject` and `by`: only rows about this subject, or by this actor. `limit`: default
   * 100. Moderators do not get rows about IP addresses.
   */
  'mod.audit': {
    params: { before?: number; limit?: number; subject?: string; by?: string };
    result: AuditRow[];
  };
}

export interface QueuePage {
  items: Queued[];
  /** `offset` of the next page; null: this is the last. */
  next: number | null;
}

/** Reported event or person (NIP-56), with the number of reports. */
export interface Reported {
  /** Event id or public key, in hex. */
  target: string;
  isEvent: boolean;
  /** Number of reports, and of those by trusted people. */
  reports: number;
  trusted: number;
  types: string[];
  /** Seconds since 1970. */
  firstAt: number;
  lastAt: number;
}

/** Reported target with the data that a moderator needs to decide. */
export interface Queued extends Reported {
  /** Reported event; null for a person, and for a moderator if its kind is private. */
  event: PageEvent | null;
  /** Author of the event, or the reported person. */
  author: Author;
}

/** One report. */
export interface ReportRow {
  reporter: string;
  type: string;
  at: number;
  /** 1: the reporter was trusted at the time. */
  trusted: number;
  content: string;
}

export interface HeldPage {
  items: Held[];
  /** `after` of the next page; null: this is the last. */
  next: string | null;
}

/** Event quarantined by the spam stage. */
export interface Held {
  id: string;
  pubkey: string;
  /** Time of receipt, in seconds since 1970. */
  at: number;
  /** Spam points and their reasons. */
  why: string;
  /** Event; null for a moderator if its kind is private. */
  event: PageEvent | null;
}

export interface ListPage {
  rows: ListRow[];
  /** `after` of the next page, or null. With `find` a page may have few rows before the last. */
  next: string | null;
  /** Number of entries on the list, regardless of `find`. */
  total: number;
}

/** One row of the audit log. */
export interface AuditRow {
  n: number;
  /** Seconds since 1970. */
  at: number;
  /** `shell`, `relay`, or a public key. */
  by: string;
  action: string;
  subject: string;
  reason: string;
}
