/** What a message that waits for its answer costs beside its bytes: records, objects, its turn. */
const MESSAGE_OVERHEAD_BYTES = 512;

/**
 * The cost of a message of so many bytes, counted against `limits.in_flight_bytes_max` of its connection
 * until it is answered. It travels with the message, and back with the answer as `settles`.
 */
export function messageCost(bytes: number): number {
  return bytes + MESSAGE_OVERHEAD_BYTES;
}
