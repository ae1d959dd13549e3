// Records monitor → io: live events for subscriptions. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { assert } from '../lib/assert.ts';
import { RECORDS } from './map.ts';

const { delivery: DELIVERY, hold: HOLD, mark: MARK } = RECORDS.monitorIo;

/** Live subscriptions with one subscription id that get an event. */
export interface DeliveryGroup {
  /** Beginning of the frame: `["EVENT",id,`. Valid until the next group is read. */
  readonly prefix: Buffer;
  /** Number of its subscriptions. */
  readonly size: number;
}

/**
 * Writes an event for the subscriptions of `groups`: pairs of connId and subNo by the beginning of
 * their frames (`eventPrefix`).
 *
 * @returns the number of subscriptions.
 */
export function writeDelivery(
  to: RecordWriter,
  json: Uint8Array,
  groups: ReadonlyMap<string, readonly number[]>,
): number {
  let subscriptions = 0;
  to.u8(DELIVERY);
  to.blob(json);
  to.u32(groups.size);
  for (const [prefix, targets] of groups) {
    to.text(prefix);
    to.u32(targets.length / 2);
    for (const number of targets) to.u32(number);
    subscriptions += targets.length / 2;
  }
  return subscriptions;
}

/** Writes a hold for these subscriptions (`HOLD` in `query-io.ts`). */
export function writeHold(to: RecordWriter, connId: number, subNos: readonly number[]): void {
  to.u8(HOLD);
  to.u32(connId);
  to.u32(subNos.length);
  for (const subNo of subNos) to.u32(subNo);
}

/** Writes the answer to the `Barrier` with this number. */
export function writeMonitorMark(to: RecordWriter, n: number): void {
  to.u8(MARK);
  to.u32(n);
}

/** Callbacks of io for the records of monitor. */
export interface DeliveryReader {
  /** Called with the JSON of an event, a view into the batch. */
  begin(json: Buffer): void;
  /** Called for each subscription that gets the event. */
  target(connId: number, subNo: number, group: DeliveryGroup): void;
  /** Called for each subscription to be held. */
  hold(connId: number, subNo: number): void;
  mark(n: number): void;
}

/** Reads a delivery, a hold or a mark. */
export function readDelivery(from: RecordReader, reader: DeliveryReader): void {
  const type = from.u8();
  if (type === MARK) {
    reader.mark(from.u32());
    return;
  }
  if (type === HOLD) {
    const connId = from.u32();
    for (let left = from.u32(); left > 0; left--) reader.hold(connId, from.u32());
    return;
  }
  assert(type === DELIVERY, 'a record of monitor has an unknown type');
  const json = from.blob();
  reader.begin(json);
  for (let groups = from.u32(); groups > 0; groups--) {
    const group = new GroupAt(from, from.skipBlob(), from.u32());
    for (let i = 0; i < group.size; i++) reader.target(from.u32(), from.u32(), group);
  }
}

/** Group with a prefix that is only read on demand: io knows most prefixes already. */
class GroupAt implements DeliveryGroup {
  readonly #from: RecordReader;
  readonly #at: number;
  readonly size: number;

  constructor(from: RecordReader, at: number, size: number) {
    this.#from = from;
    this.#at = at;
    this.size = size;
  }

  get prefix(): Buffer {
    return this.#from.blobAt(this.#at);
  }
}
