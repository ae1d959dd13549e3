// Entry of the tail index, as the writer sends it to the query workers.

/** Entry of the tail index of a query worker: an event that the on-disk index does not hold. */
export interface TailEntry {
  seq: number;
  createdAt: number;
  /** Kind as the index keeps it (`store/index/posting-kind.ts`). */
  kind: number;
  /** 32 bytes. */
  pubkey: Uint8Array;
  terms: Float64Array;
}
