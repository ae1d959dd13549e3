// Records writer → monitor: accepted and removed events. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { assert } from '../lib/assert.ts';
import { CheckedEvent } from './ingester-writer.ts';
import { RECORDS } from './map.ts';

const { accepted: ACCEPTED, removed: REMOVED } = RECORDS.writerMonitor;

/** Event that was accepted; `seq` is its place in the log, or 0 for an ephemeral event. */
export class AcceptedEvent extends CheckedEvent {
  readonly seq: number;

  constructor(seq: number, from: RecordReader) {
    super(from);
    this.seq = seq;
  }
}

/** Writes the head of the log: first in every batch, and alone when monitor is attached. */
export function writeHead(to: RecordWriter, head: number): void {
  to.f64(head);
}

/** Passes the record of an event on, after its place in the log. */
export function writeAcceptedEvent(to: RecordWriter, seq: number, event: CheckedEvent): void {
  writeAcceptedSeq(to, seq);
  to.raw(event.record);
}

/** Writes the beginning of the record of an accepted event; the event follows as a record. */
export function writeAcceptedSeq(to: RecordWriter, seq: number): void {
  to.u8(ACCEPTED);
  to.f64(seq);
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
  return type === REMOVED ? seq : new AcceptedEvent(seq, from);
}
