// Flood of tiny messages.

import { framesOf } from '../attack/attack.ts';
import type { Scenario } from './scenario.ts';

const FRAMES = 2000;

const texts: readonly ((n: number) => string)[] = [
  (n) => `["CLOSE","unknown ${n}"]`,
  () => '[]',
  () => '',
  () => 'x',
  () => '{}',
  (n) => `["NEG-OPEN","${n}",{},"61"]`,
  (n) => `["NEG-MSG","${n}","61"]`,
  (n) => `["NEG-CLOSE","${n}"]`,
  () => '["EVENT"]',
  () => '["REQ"]',
];

/**
 * Flood of messages that cost their sender almost nothing, while the relay has to read, check and
 * answer each.
 */
export const smallFrames: Scenario = {
  name: 'small-frames',
  about: 'CLOSE of unknown ids, NEG-*, [] and short garbage at full speed',
  from: ['one', 'many', 'loopback'],
  proof: 'frames',
  async flood(attack) {
    const bytes = framesOf(Array.from({ length: FRAMES }, (_, n) => texts[n % texts.length]!(n)));
    await attack.wires([10, 2], (wire) => attack.repeat(wire, bytes, FRAMES));
  },
};
