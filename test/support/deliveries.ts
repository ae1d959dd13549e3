// Decoder of the deliveries that monitor sends to io, for tests without a socket.

import type { RecordReader } from '../../src/channel/records.ts';
import { readDelivery } from '../../src/messages/monitor-io.ts';

/** Frame that io sends for a delivery of monitor, to one subscription of a connection. */
export interface Delivered {
  connId: number;
  subNo: number;
  frame: string;
}

/** Reads the next delivery to io and puts its frames together as io does. */
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
