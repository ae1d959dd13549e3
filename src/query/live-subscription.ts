// State that a query worker keeps of a subscription after its hand-over to monitor.

import type { CatchUpRun } from './catch-up.ts';
import type { HeldBackRun } from './run.ts';

/**
 * Subscription in monitor to which the query worker may still have to send stored events: because
 * monitor could not replay them, or because its connection authenticates (NIP-42).
 */
export class LiveSubscription {
  readonly subId: string;
  /** Its filters, packed; null if no private event can be hidden from its readers. */
  readonly filters: Uint8Array | null;
  /** Pubkeys for which it was answered. */
  readers: readonly string[];
  readonly runs = new Set<CatchUpRun | HeldBackRun>();

  constructor(subId: string, filters: Uint8Array | null, readers: readonly string[]) {
    this.subId = subId;
    this.filters = filters;
    this.readers = readers;
  }
}
