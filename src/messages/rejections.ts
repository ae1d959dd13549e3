// Rejection records for `wok why`, and the batches in which every thread sends them to the admin
// worker. It holds no state.

/** Rejection record: the outcome of one event, for `wok why`. */
export interface RejectionRecord {
  /** 64 hex characters. */
  id: string;
  /** Author that the event names, or ''. */
  pubkey: string;
  /** Seconds since 1970. */
  at: number;
  /**
   * `shadowed`: the client was told OK, and nothing was stored; `quarantined`: the event is stored
   * apart until a moderator releases or discards it.
   */
  action: 'refused' | 'shadowed' | 'quarantined' | 'removed';
  /**
   * Name from `rule-names.ts`; for removed events the reason: `replaced`, `deleted`, `expired`, …
   */
  rule: string;
  /** Plugin that refused, or the remover; '' otherwise. */
  by: string;
  /** Text that the client was told, or the reason. */
  text: string;
}

/**
 * Rejection records in flight to the admin worker, and the number omitted since the previous batch.
 */
export interface RejectionBatch {
  t: 'rejections';
  records: RejectionRecord[];
  omitted: number;
}
