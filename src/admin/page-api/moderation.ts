/** Reports, quarantine, lists, the audit log. Types only; see api.ts. */
import type { ListRow, PageEvent } from './events.ts';
import type { Author } from './people.ts';

/** Which lists there are; moderators see and change pubkey, author and event. */
export type ListName = ListRow['list'];

export interface ModerationVerbs {
  /**
   * A page of what was reported: what trusted people report comes first, then what many report.
   * `offset`: how many to pass over, default 0; `limit`: 1 … 100, default 20.
   */
  'mod.queue': { params: { offset?: number; limit?: number }; result: QueuePage };
  /** Who reports a target (hex), and what they say. `limit`: default 100. */
  'mod.report': { params: { target: string; limit?: number }; result: ReportRow[] };
  /** Takes a target off the queue; `keep`: reports of this event are never queued again. */
  'mod.dismiss': {
    params: { target: string; reason?: string; keep?: boolean };
    result: { reports: number };
  };

  /** What the spam stage holds back, the oldest first, behind `after`. `limit`: 1 … 100, default 20. */
  'mod.held': { params: { after?: string; limit?: number }; result: HeldPage };
  /** Stores an event that is held back, or all of an author (hex). */
  'mod.release': { params: { subject: string; reason?: string }; result: { events: number } };
  /** Drops an event that is held back, or all of an author (hex). */
  'mod.discard': { params: { subject: string; reason?: string }; result: { events: number } };

  /**
   * A page of a list in the order of its subjects. `find`: only what has this text in its subject or its
   * reason, in any case; npub1… finds the key. `limit`: 1 … 500, default 100.
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
   * Bans or allows, at once in every station. `subject`: hex or npub1…, an event id (hex, note1…,
   * nevent1…), a kind, an address or network. `expiresAt`: seconds since 1970, 0 (the default): never.
   * `remove`, with a ban of a pubkey: also removes what it has written; `removed` says how many events.
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
  /** Takes a ban or an allowance back; `taken` is false when there was none. */
  'mod.take': {
    params: { list: ListName; subject: string; stance: 'ban' | 'allow'; reason?: string };
    result: { taken: boolean };
  };
  /** Removes an event for good, or all that an author has written so far. */
  'mod.remove': {
    params: { what: 'event' | 'author'; subject: string; reason?: string };
    result: { removed: number | null };
  };

  /**
   * The audit log, newest first: rows before `before` (the `n` of the last row of the page before).
   * `subject` and `by`: only rows about, or by, whom. `limit`: default 100. Moderators do not see rows about addresses.
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

/** An event or a person that was reported (NIP-56), and by how many. */
export interface Reported {
  /** Hex. */
  target: string;
  isEvent: boolean;
  /** How many people report it, and how many of them are trusted. */
  reports: number;
  trusted: number;
  types: string[];
  /** Seconds since 1970. */
  firstAt: number;
  lastAt: number;
}

/** What was reported, with what one has to know of it. */
export interface Queued extends Reported {
  /** The event, if it is one; null for a person, and for a moderator if its kind is private. */
  event: PageEvent | null;
  /** Who wrote it, or who was reported. */
  author: Author;
}

/** One report. */
export interface ReportRow {
  reporter: string;
  type: string;
  at: number;
  /** 1: the reporter was trusted then. */
  trusted: number;
  content: string;
}

export interface HeldPage {
  items: Held[];
  /** `after` of the next page; null: this is the last. */
  next: string | null;
}

/** An event that the spam stage holds back. */
export interface Held {
  id: string;
  pubkey: string;
  /** When it came, in seconds since 1970. */
  at: number;
  /** The points and what they are for. */
  why: string;
  /** null for a moderator if its kind is private. */
  event: PageEvent | null;
}

export interface ListPage {
  rows: ListRow[];
  /** `after` of the next page; null: this is the last. With `find` a page may have few rows and still not be the last. */
  next: string | null;
  /** How many are on the list, whatever was looked for. */
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
