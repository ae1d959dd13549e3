// Layout of the shared memory with the bounded queues' counters. All threads hold it; each counter
// is atomic.

import { Credits } from '../channel/credits.ts';
import { Removals } from '../channel/removals.ts';
import { WriteState } from '../channel/write-state.ts';

/**
 * Layout of the cells: 0 counts the events that wait for the writer, 1 removals, 2 says whether
 * events are stored; then each ingester worker has two.
 */
const WRITER_EVENTS = 0;
const REMOVALS = 1;
const WRITE_STATE = 2;
const FRAME_BYTES = 3;

/** Allocates the shared memory of all bounded queues, and of the count of removals. */
export function shareCredits(ingesterWorkers: number): SharedArrayBuffer {
  return Credits.share(FRAME_BYTES + 2 * ingesterWorkers);
}

/** Returns the credits of events queued for the writer (bound: `writer.queue_events_max`). */
export function writerEvents(shared: SharedArrayBuffer): Credits {
  return new Credits(shared, WRITER_EVENTS);
}

/** Returns the counter of events removed from the log. */
export function removals(shared: SharedArrayBuffer): Removals {
  return new Removals(shared, REMOVALS);
}

/** Returns the state that says whether the writer can store events. */
export function writeState(shared: SharedArrayBuffer): WriteState {
  return new WriteState(shared, WRITE_STATE);
}

/**
 * Returns the credits for the cost of frames queued for an ingester worker (bound:
 * `io.queue_bytes_max`).
 */
export function frameBytes(shared: SharedArrayBuffer, worker: number): Credits {
  return new Credits(shared, FRAME_BYTES + 2 * worker);
}

/**
 * Returns the credits for bytes of open subscriptions, by ingester worker (bound:
 * `limits.subscription_bytes_max`).
 */
export function subscriptionBytes(shared: SharedArrayBuffer): Credits[] {
  const cells = shared.byteLength / 4 - FRAME_BYTES;
  return Array.from(
    { length: cells / 2 },
    (_, worker) => new Credits(shared, FRAME_BYTES + 2 * worker + 1),
  );
}
