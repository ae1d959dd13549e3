// Records query → io: stored events and the frames around them. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { assert } from '../lib/assert.ts';
import { RECORDS } from './map.ts';

/** Types of the records of a query worker for io, about a subscription (`ANSWER`: a COUNT). */
export const {
  open: OPEN,
  events: EVENTS,
  eose: EOSE,
  closed: CLOSED,
  gone: GONE,
  answer: ANSWER,
  closeConnection: CLOSE_CONNECTION,
  hold: HOLD,
  resume: RESUME,
  mark: MARK,
} = RECORDS.queryIo;

/**
 * Record of a query worker about a subscription. `OPEN` makes the subscription known, `EVENTS`
 * carries frames for it (each a blob), `EOSE` lets live events follow, `CLOSED` ends it with a
 * frame, `GONE` without one. `CLOSE_CONNECTION` closes the connection with a reason. `HOLD` holds
 * live events of the subscription back until `RESUME`, because stored events come first; monitor
 * sends holds, too, and either may arrive first, so io counts them. `confirm` asks io for a
 * `WindowUpdate` once all bytes so far have been sent to the socket.
 */
export interface QueryRecord {
  type: number;
  connId: number;
  subNo: number;
  acks: number;
  confirm: number;
  payload: Buffer;
}

/** Writes all but the payload, which follows as one blob. */
export function writeQueryRecordHead(
  to: RecordWriter,
  type: number,
  connId: number,
  subNo: number,
  acks: number,
  confirm: number,
): void {
  to.u8(type);
  to.u32(connId);
  to.u32(subNo);
  to.u32(acks);
  to.u8(confirm);
}

export function readQueryRecord(from: RecordReader): QueryRecord {
  const type = from.u8();
  assert(type >= OPEN && type <= MARK, 'a record of a query worker has an unknown type');
  return {
    type,
    connId: from.u32(),
    subNo: from.u32(),
    acks: from.u32(),
    confirm: from.u8(),
    payload: from.blob(),
  };
}
