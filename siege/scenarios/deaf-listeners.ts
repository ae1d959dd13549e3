// Flood of live subscriptions that do not read.

import { sleep } from '../../bench/load/driver.ts';
import type { Attack } from '../attack/attack.ts';
import { framesOf } from '../attack/attack.ts';
import type { Scenario } from './scenario.ts';

const CONTENT_CHARACTERS = 20_000;
const NOTES_PER_SECOND = 100;

/** Flood of live events of 20 kB for connections that subscribe to all events and read nothing. */
export const deafListeners: Scenario = {
  name: 'deaf-listeners',
  about:
    '98 connections subscribe to everything and read nothing, while notes of 20 kB are published',
  from: ['one', 'many'],
  proof: 'notes',
  async flood(attack) {
    const subscription = framesOf(['["REQ","all",{"limit":0}]']);
    const listen = attack.wires(
      [98, 4],
      async (wire) => {
        if (await wire.write(subscription)) await wire.ended;
      },
      { reads: false },
    );
    await Promise.all([listen, publish(attack)]);
  },
};

/** Publishes from loopback, so that no rate reduces the load on the relay. */
async function publish(attack: Attack): Promise<void> {
  const authors = await Promise.all(Array.from({ length: 20 }, () => attack.author()));
  const wire = await attack.wire('');
  const content = 'x'.repeat(CONTENT_CHARACTERS);
  for (let n = 0; !attack.isOver && wire !== undefined; n++) {
    const text = authors[n % authors.length]!.message({ content: `${n} ${content}` });
    if (!(await wire.write(framesOf([text])))) return;
    attack.count('notes');
    await sleep(1000 / NOTES_PER_SECOND);
  }
}
