// Records writer → monitor: accepted and removed events. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { assert } from '../lib/assert.ts';
import { type CheckedEvent, readCheckedEvent } from './ingester-writer.ts';
import { RECORDS } from './map.ts';

const { accepted: ACCEPTED, removed: REMOVED } = RECORDS.writerMonitor;

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
  to.u8(ACCEPTED);
  to.f64(seq);
  to.raw(batch.subarray(event.start, event.end));
}

/** Tells monitor that an event was removed. */
export function writeRemovedEvent(to: RecordWriter, seq: number): void {
  to.u8(REMOVED);
  to.f64(seq);
}

/** Reads an accepted event, or the seq of a removed one. */
export function readAcceptedEvent(from: RecordReader): AcceptedEvent | number {
  const type = from.u8();
  assert(type === ACCEPTED || type === REMOVED, 'a record of the writer has an unknown type');
  const seq = from.f64();
  return type === REMOVED ? seq : Object.assign(readCheckedEvent(from), { seq });
}
