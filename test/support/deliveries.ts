import type { RecordReader } from '../../src/mailbox/records.ts';
import { readDelivery } from '../../src/messages.ts';

/** What monitor has io send: a frame to a subscription of a connection. */
export interface Delivered {
  connId: number;
  subNo: number;
  frame: string;
}

/** Reads the next delivery to io; its frames are put together as io does. */
export function framesOf(reader: RecordReader): Delivered[] {
  const frames: Delivered[] = [];
  let event = '';
  readDelivery(reader, {
    begin: (json) => {
      event = String(json);
    },
    target: (connId, subNo, { prefix }) => {
      frames.push({ connId, subNo, frame: `${prefix}${event}]` });
    },
    hold: () => {},
    mark: () => {},
  });
  return frames;
}
