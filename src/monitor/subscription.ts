// Live subscription, as the filter index keeps it.

/** Pubkeys that have authenticated on a connection. */
export interface Audience {
  readers: readonly string[];
}

/** Live subscription. */
export interface Subscription {
  connId: number;
  subNo: number;
  /** Beginning of its frames (`eventPrefix`). */
  prefix: string;
  /** Last seq that was answered from stored events. */
  afterSeq: number;
  /** Turn of the event that was matched last, so that several matching filters count once. */
  matchedTurn: number;
  /** Shared by all subscriptions of the connection. */
  audience: Audience;
}
