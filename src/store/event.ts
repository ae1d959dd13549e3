// Event in the form in which the store takes it.

/** Validated event: what the event log, the rules and the index need of it. */
export interface StorableEvent {
  readonly kind: number;
  readonly createdAt: number;
  /** Seconds since 1970; 0: never. */
  readonly expiresAt: number;
  /** Index terms (`store/index/terms.ts`). */
  readonly terms: Float64Array;
  /** `kind:pubkey:d` for replaceable and addressable events, '' for others. */
  readonly address: string;
  /** Stored form (`store/body/body.ts`). */
  readonly body: Buffer;
}
