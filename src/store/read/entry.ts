// Place of an event in the order of answers: newest first, then by seq.

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

/** Returns the place before all events of a second. */
export function endOfSecond(createdAt: number): Position {
  return { createdAt, seq: Number.MAX_SAFE_INTEGER };
}
