/** What a message that waits for its answer costs beside its bytes: records, objects, its turn. */
const MESSAGE_OVERHEAD_BYTES = 512;

/**
 * The cost of a message of so many bytes, counted against `limits.in_flight_bytes_max` of its connection
 * until it is answered. It travels with the message, and back with the answer as `settles`.
 */
export function messageCost(bytes: number): number {
  return bytes + MESSAGE_OVERHEAD_BYTES;
}

/** An event whose message costs more counts as several in the queue of the writer. */
const QUEUED_EVENT_BYTES = 4096;

/** As how many an event counts against `writer.queue_events_max`, by the cost of its message. */
export function queuedEvents(cost: number): number {
  return Math.max(1, Math.ceil(cost / QUEUED_EVENT_BYTES));
}
