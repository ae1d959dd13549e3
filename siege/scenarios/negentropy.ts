// Flood of negentropy sessions (NIP-77).

import { varintBytes } from '../../src/negentropy/varint.ts';
import { framesOf } from '../attack/attack.ts';
import type { Scenario } from './scenario.ts';

const STORED = { short: 2000, full: 30_000 };
const FIRST_SECOND = 1_700_000_000;
/** Ranges of a long message, each with a fingerprint that nothing has: 190 kB of hex. */
const RANGES = 5000;
const SESSIONS = 100;
/** A list of no ids for all of time, which is answered with all ids. */
const LIST_ALL = '6100000200';

/** Returns a message of many short ranges, in hex. */
function manyRanges(seconds: number, fingerprint: string): string {
  const time = (value: number) => Buffer.from(varintBytes(value + 1)).toString('hex');
  const range = `${time(seconds)}0001${fingerprint}`;
  return `61${time(FIRST_SECOND)}0000${range.repeat(RANGES)}`;
}

/** Flood of sessions of all events, never closed, and of messages with very many ranges. */
export const negentropy: Scenario = {
  name: 'negentropy',
  about: 'negentropy sessions of all events, never closed, and messages of 5,000 ranges',
  from: ['one', 'many', 'loopback'],
  proof: 'sessions',
  async prepare(attack) {
    const author = await attack.author();
    const count = attack.short ? STORED.short : STORED.full;
    const drafts = Array.from({ length: count }, (_, n) => ({ created_at: FIRST_SECOND + n }));
    await attack.store(author, drafts);
  },
  async flood(attack) {
    const ranges = manyRanges(STORED.full / RANGES, attack.random.hex(32));
    await attack.wires([10, 4], async (wire, number) => {
      for (let n = 0; !attack.isOver; n++) {
        const id = `${n % SESSIONS}`;
        const message = number % 2 === 0 ? LIST_ALL : ranges;
        const texts = [`["NEG-OPEN","${id}",{},"${message}"]`, `["NEG-MSG","${id}","${message}"]`];
        if (!(await wire.write(framesOf(texts)))) return;
        attack.count('sessions');
        await Promise.race([attack.sleep(20), wire.ended]);
      }
    });
  },
};
