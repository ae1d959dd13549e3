// Flood of pings by clients that do not read the pongs.

import { FrameWriter, PING } from '../../bench/client/frames.ts';
import type { Scenario } from './scenario.ts';

const PINGS = 1000;
const PAYLOAD_BYTES = 125;

/**
 * Flood of pings. Every ping causes a pong, for which only the client can free buffer space by
 * reading.
 */
export const pings: Scenario = {
  name: 'pings',
  about: 'pings of 125 bytes at full speed, whose pongs are not read',
  from: ['one', 'many', 'loopback'],
  proof: 'frames',
  async flood(attack) {
    const writer = new FrameWriter();
    for (let n = 0; n < PINGS; n++) writer.control(PING, new Uint8Array(PAYLOAD_BYTES).fill(n));
    const bytes = writer.take();
    await attack.wires([20, 2], (wire) => attack.repeat(wire, bytes, PINGS), { reads: false });
  },
};
