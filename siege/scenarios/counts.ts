// Flood of expensive COUNT queries.

import { framesOf } from '../attack/attack.ts';
import type { Scenario } from './scenario.ts';

const STORED = { short: 2000, full: 30_000 };
const COUNTS = 1000;
const CONNECTIONS_EACH = 10;

/**
 * Flood of COUNTs of all events: messages of 25 bytes that each ask for a pass over the whole
 * index.
 */
export const counts: Scenario = {
  name: 'counts',
  about:
    '1,000 COUNTs of everything, 25 bytes each, over one connection and over ten, again and again',
  from: ['one', 'many', 'loopback'],
  proof: 'counts',
  async prepare(attack) {
    const author = await attack.author();
    const notes = Array.from({ length: attack.short ? STORED.short : STORED.full }, (_, n) => ({
      created_at: 1_700_000_000 + n,
    }));
    await attack.store(author, notes);
  },
  async flood(attack) {
    // The first connection sends a thousand at a time, every other one a tenth of that.
    const all = framesOf(Array.from({ length: COUNTS }, (_, n) => `["COUNT","${n}",{}]`));
    const share = COUNTS / CONNECTIONS_EACH;
    const part = framesOf(Array.from({ length: share }, (_, n) => `["COUNT","${n}",{}]`));
    await attack.wires([1 + CONNECTIONS_EACH, 2], async (wire, number) => {
      const [bytes, count] = number === 0 ? [all, COUNTS] : [part, share];
      while (!attack.isOver && (await wire.write(bytes))) {
        attack.count('counts', count);
        await Promise.race([attack.sleep(1000), wire.ended]);
      }
    });
  },
};
