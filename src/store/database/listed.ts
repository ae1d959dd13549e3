// Rows of the ban and allow lists (table `listed`), and the part of them that worker threads need.

/**
 * Names of the lists. `pubkey`, `event`, `kind` and `ip` may be banned or allowed; `author` is an
 * author of removed events, up to a point in time.
 */
export const listNames = ['pubkey', 'event', 'kind', 'ip', 'author'] as const;

export type ListName = (typeof listNames)[number];

/** Stance of a list entry: a subject is banned or allowed, never both. */
export type Stance = 'ban' | 'allow';

/** Columns of the table `listed` that the worker threads need. */
export interface ListEntry {
  list: ListName;
  /** Public key or id in hex, kind as a number, address, or network. */
  subject: string;
  stance: Stance;
  /** Seconds since 1970; 0: never. */
  expiresAt: number;
  /** For `author`: events dated up to this time were removed, in seconds since 1970. */
  until: number;
}

/** Row of the table `listed`. */
export interface ListedRow {
  list: ListName;
  subject: string;
  stance: Stance;
  reason: string;
  by: string;
  at: number;
  expires_at: number | null;
  until: number | null;
}

export function entryOf({ list, subject, stance, expires_at, until }: ListedRow): ListEntry {
  return { list, subject, stance, expiresAt: expires_at ?? 0, until: until ?? 0 };
}
