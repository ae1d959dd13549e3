// Flood of invalid and duplicate events.

import { framesOf } from '../attack/attack.ts';
import type { Scenario } from './scenario.ts';

const EVENTS = { short: 200, full: 1000 };
const OVERSIZED_CHARACTERS = 200_000;

/**
 * Flood of events that are refused: because of their signature or id, their size, or as duplicates.
 */
export const badEvents: Scenario = {
  name: 'bad-events',
  about: 'events with a wrong signature or a wrong id, too long ones and duplicates at full speed',
  from: ['one', 'many', 'loopback'],
  proof: 'frames',
  async prepare(attack) {
    await attack.store(await attack.author(), [{ content: 'known', created_at: 1_700_000_000 }]);
  },
  async flood(attack) {
    const author = await attack.author();
    const other = await attack.author();
    const known = author.message({ content: 'known', created_at: 1_700_000_000 });
    const texts = Array.from({ length: attack.short ? EVENTS.short : EVENTS.full }, (_, n) => {
      const event = author.event({ content: `false ${n} ${'x'.repeat(n % 300)}` });
      // A signature of another key for the same content, and an id that does not match the content.
      if (n % 3 === 0) return JSON.stringify(['EVENT', { ...event, sig: other.event(event).sig }]);
      if (n % 3 === 1) return JSON.stringify(['EVENT', { ...event, content: 'changed' }]);
      return known;
    });
    const small = framesOf(texts);
    const large = framesOf([author.message({ content: 'x'.repeat(OVERSIZED_CHARACTERS) })]);
    await attack.wires([10, 2], (wire, number) =>
      number % 5 === 4 ? attack.repeat(wire, large, 1) : attack.repeat(wire, small, texts.length),
    );
  },
};
