import { Credits } from '../mailbox/credits.ts';

/** Cell 0 counts the events that wait for the writer; each ingester lane has one behind it. */
const WRITER_EVENTS = 0;
const FRAME_BYTES = 1;

/** The shared memory of all bounded queues. */
export function shareCredits(ingesterLanes: number): SharedArrayBuffer {
  return Credits.share(FRAME_BYTES + ingesterLanes);
}

/** Events on their way to the writer (bound: `writer.queue_events_max`). */
export function writerEvents(shared: SharedArrayBuffer): Credits {
  return new Credits(shared, WRITER_EVENTS);
}

/** Bytes of frames on their way to an ingester lane (bound: `io.queue_bytes_max`). */
export function frameBytes(shared: SharedArrayBuffer, lane: number): Credits {
  return new Credits(shared, FRAME_BYTES + lane);
}
