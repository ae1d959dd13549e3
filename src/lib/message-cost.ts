// Costs of messages and events against the bounds of queues, equal in all stations.

/** Overhead of an unanswered message beside its bytes: records, objects, its turn. */
const MESSAGE_OVERHEAD_BYTES = 512;

/**
 * Returns the cost of a message of `bytes`, counted against `limits.in_flight_bytes_max` of its
 * connection until it is answered. The cost travels with the message, and back with the answer as
 * `acks`.
 */
export function messageCost(bytes: number): number {
  return bytes + MESSAGE_OVERHEAD_BYTES;
}

/** Message cost above which an event counts as several in the queue of the writer. */
const QUEUED_EVENT_BYTES = 4096;

/** Returns the units of `writer.queue_events_max` that an event takes, by its message's cost. */
export function queuedEvents(cost: number): number {
  return Math.max(1, Math.ceil(cost / QUEUED_EVENT_BYTES));
}
