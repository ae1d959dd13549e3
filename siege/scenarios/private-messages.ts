// Flood of queries for private messages of other users.

import { AUTH, COUNT, EVENT } from '../../bench/client/messages.ts';
import type { Attack, Heard } from '../attack/attack.ts';
import { framesOf } from '../attack/attack.ts';
import { type Author, seconds } from '../attack/author.ts';
import type { Scenario } from './scenario.ts';

const MESSAGES = { short: 100, full: 500 };
const SUBSCRIPTIONS = 200;
const PRIVATE_KINDS = [4, 1059];

/**
 * Returns the sender and the reader, the same keys as in the preparation, because the seed is the
 * same.
 */
async function people(attack: Attack): Promise<readonly [sender: Author, reader: Author]> {
  return [await attack.author(), await attack.author()];
}

const draft = (reader: Author, n: number) => ({
  kind: PRIVATE_KINDS[n % 2]!,
  tags: [['p', reader.pubkey]],
  content: `private ${n}`,
});

/** Flood of queries for other users' private messages, which must never be sent out. */
export const privateMessages: Scenario = {
  name: 'private-messages',
  about: 'queries for gift wraps and direct messages of other keys, and invalid AUTHs',
  from: ['one', 'many'],
  proof: 'answers',
  async prepare(attack) {
    const [sender, reader] = await people(attack);
    const count = attack.short ? MESSAGES.short : MESSAGES.full;
    const drafts = Array.from({ length: count }, (_, n) => ({
      ...draft(reader, n),
      created_at: 1_700_000_000 + n,
    }));
    await attack.store(sender, drafts);
  },
  async flood(attack) {
    const [sender, reader] = await people(attack);
    const known = sender.event({ ...draft(reader, 0), created_at: 1_700_000_000 });
    const filters = [
      { kinds: PRIVATE_KINDS },
      { '#p': [reader.pubkey] },
      { authors: [sender.pubkey] },
      { ids: [known.id] },
      { '#p': [reader.pubkey], kinds: PRIVATE_KINDS, since: 1_700_000_000 },
    ].map((filter) => JSON.stringify(filter));
    let asked = 0;
    const next = () => {
      const n = asked++;
      if (n % 4 === 3) return wrongAuth(attack, reader, n);
      const verb = n % 4 === 2 ? 'COUNT' : 'REQ';
      return `["${verb}","${n % SUBSCRIPTIONS}",${filters[n % filters.length]}]`;
    };
    const heard = (message: Heard) => look(attack, message);
    await Promise.all([attack.converse([10, 2], 5, next, heard), publish(attack, sender, reader)]);
  },
};

/**
 * Returns an AUTH that must be rejected: its challenge is guessed, and some name another relay or
 * have a wrong signature.
 */
function wrongAuth(attack: Attack, reader: Author, n: number): string {
  const relay = n % 8 === 3 ? 'wss://elsewhere.example' : attack.target.url;
  const tags = [
    ['relay', relay],
    ['challenge', `guess ${n}`],
  ];
  const event = reader.event({ kind: 22_242, tags, content: '' });
  const sig = n % 16 === 7 ? '1'.repeat(128) : event.sig;
  return JSON.stringify(['AUTH', { ...event, sig }]);
}

function look(attack: Attack, { verb, text }: Heard): void {
  if (verb === AUTH) attack.count('challenges');
  if (verb === EVENT) {
    const [, , event] = JSON.parse(text()) as [string, string, { kind: number }];
    if (PRIVATE_KINDS.includes(event.kind)) {
      attack.tellWrong(`a private event of kind ${event.kind} was sent without authentication`);
    }
  } else if (verb === COUNT) {
    const [, , { count }] = JSON.parse(text()) as [string, string, { count: number }];
    if (count > 0) attack.tellWrong(`private events were counted without authentication: ${count}`);
  }
}

/** Publishes new private messages, which live subscriptions must not get either. */
async function publish(attack: Attack, sender: Author, reader: Author): Promise<void> {
  const wire = await attack.wire('');
  for (let n = 0; !attack.isOver && wire !== undefined; n++) {
    const text = sender.message({
      ...draft(reader, n),
      created_at: seconds(),
      content: `new ${n}`,
    });
    if (!(await wire.write(framesOf([text])))) return;
    attack.count('private events');
    await attack.sleep(50);
  }
}
