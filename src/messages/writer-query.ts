// Records writer → query: entries of the tail index, and removals. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { assert } from '../lib/assert.ts';
import type { StorableEvent } from '../store/event.ts';
import { postingKind } from '../store/index/posting-kind.ts';
import type { TailEntry } from '../store/read/tail-entry.ts';

/** Beginning of every batch for a query worker. */
export interface AcceptedHead {
  /** Last seq of the log that the on-disk index holds. */
  indexedSeq: number;
  /** Number of events removed from the log ever (`channel/removals.ts`), `removed` included. */
  removals: number;
  /** Seqs of the events removed since the batch before. */
  removed: Float64Array;
}

/** Writes the beginning of a batch. */
export function writeAcceptedHead(
  to: RecordWriter,
  indexedSeq: number,
  removals: number,
  removed: readonly number[],
): void {
  to.f64(indexedSeq);
  to.u32(removals);
  to.u32(removed.length);
  for (const seq of removed) to.f64(seq);
}

export function readAcceptedHead(from: RecordReader): AcceptedHead {
  const indexedSeq = from.f64();
  const removals = from.u32();
  return { indexedSeq, removals, removed: from.f64List() };
}

export function writeAcceptedTerms(to: RecordWriter, seq: number, event: StorableEvent): void {
  to.f64(seq);
  to.f64(event.createdAt);
  to.u32(postingKind(event.kind, event.expiresAt));
  to.blob(event.pubkeyBytes);
  to.u32(event.terms.length);
  for (const term of event.terms) to.f64(term);
}

export function readAcceptedTerms(from: RecordReader): TailEntry {
  const seq = from.f64();
  const createdAt = from.f64();
  const kind = from.u32();
  const pubkey = from.blob();
  assert(pubkey.length === 32, 'a pubkey in a record of writer has not 32 bytes');
  return { seq, createdAt, kind, pubkey, terms: from.f64List() };
}
