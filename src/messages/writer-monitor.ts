// Records writer → monitor: accepted and removed events. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { type CheckedEvent, readCheckedEvent } from './ingester-writer.ts';

/** Event that was accepted; `seq` is its place in the log, or 0 for an ephemeral event. */
export interface AcceptedEvent extends CheckedEvent {
  seq: number;
}

/** Writes the head of the log: first in every batch, and alone when monitor is attached. */
export function writeHead(to: RecordWriter, head: number): void {
  to.f64(head);
}

/** Passes the record on after its place in the log; `batch` is the one it was read from. */
export function writeAcceptedEvent(
  to: RecordWriter,
  seq: number,
  event: CheckedEvent,
  batch: Buffer,
): void {
  to.f64(seq);
  to.raw(batch.subarray(event.start, event.end));
}

/** Tells monitor that an event was removed, in place of an accepted one. */
export function writeRemovedEvent(to: RecordWriter, seq: number): void {
  to.f64(-seq);
}

/** Reads an accepted event, or the seq of a removed one. */
export function readAcceptedEvent(from: RecordReader): AcceptedEvent | number {
  const seq = from.f64();
  return seq < 0 ? -seq : Object.assign(readCheckedEvent(from), { seq });
}
