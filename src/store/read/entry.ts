// Entries of posting lists, their places, and the two orders in which lists are read.

/** Entry of a list of events by time: place in the log, and fields in the index. */
export interface Entry {
  createdAt: number;
  seq: number;
  /** Kind as the index keeps it (`store/index/posting-kind.ts`). */
  kind: number;
  /** Set if ids, authors, kinds and tags of the filter are known to match. */
  sure?: true;
}

/** Place in a list of events by time: that of the event with this seq, even if there is none. */
export interface Position {
  readonly createdAt: number;
  readonly seq: number;
}

/** Direction of reading: `upwards` is oldest first, `downwards` newest first. */
export type Direction = 'upwards' | 'downwards';

/** Order of places: by created_at, within a second by seq. */
export type Order = (a: Position, b: Position) => number;

export function newestFirst(a: Position, b: Position): number {
  return b.createdAt - a.createdAt || b.seq - a.seq;
}

export function oldestFirst(a: Position, b: Position): number {
  return a.createdAt - b.createdAt || a.seq - b.seq;
}

/** Returns the place before all events of a second, newest first. */
export function endOfSecond(createdAt: number): Position {
  return { createdAt, seq: Number.MAX_SAFE_INTEGER };
}

/** Returns the place before all events of a second, oldest first. */
export function startOfSecond(createdAt: number): Position {
  return { createdAt, seq: -1 };
}
