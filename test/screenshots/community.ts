// People of the relay in the pictures: the events of the bench's generator, and a few hand-written
// ones that moderators have to look at.

import { createHash } from 'node:crypto';
import { EventMaker } from '../../bench/dataset/event-maker.ts';
import { datasetParameters } from '../../bench/dataset/parameters.ts';
import { loadSigner } from '../../bench/dataset/signer.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author } from '../support/author.ts';

const SEED = 7;

/** Generated events by index, oldest first, and the keys of their authors. */
export interface Generated {
  readonly count: number;
  event(index: number): NostrEvent;
}

/** Returns a generator of `count` events up to a time in seconds, `perSecond` of them a second. */
export async function generated(
  count: number,
  perSecond: number,
  until: number,
): Promise<Generated> {
  const spread = Math.floor(count / perSecond);
  const parameters = datasetParameters({ events: count, seed: SEED, until, spread });
  const maker = new EventMaker(parameters, await loadSigner());
  return { count, event: (index) => maker.event(index) };
}

/** Returns an author whose key follows from a name. */
export function person(name: string): Author {
  return new Author(createHash('sha256').update(`wok screenshots ${name}`).digest());
}

/** Returns the profile of a person; reports of keys without events are not kept. */
export function profile(author: Author, name: string, created_at: number): NostrEvent {
  return author.event({ kind: 0, created_at, content: JSON.stringify({ name }) });
}

/** Text that people report, with the reports about it. */
export interface Reported {
  readonly by: string;
  readonly text: string;
  readonly reports: readonly (readonly [from: string, type: string, text: string])[];
}

export const REPORTED: readonly Reported[] = [
  {
    by: 'lucky-draw',
    text: 'Congratulations! Your wallet was chosen: send 0.1 and get 1.0 back, today only. https://giveaway.example/claim',
    reports: [
      ['mira', 'spam', 'posts this under every note'],
      ['jonas', 'impersonation', 'claims to be a wallet'],
      ['tove', 'spam', ''],
    ],
  },
  {
    by: 'cheap-followers',
    text: '10,000 followers for 5 dollars, delivered overnight. Ask me how.',
    reports: [
      ['jonas', 'spam', ''],
      ['aiko', 'spam', 'third account this week'],
    ],
  },
  {
    by: 'grumpy',
    text: 'Whoever still runs a relay on a single disk deserves what is coming.',
    reports: [['tove', 'profanity', 'rude, but perhaps only a joke']],
  },
];

/** Names of the authors and reporters above. */
export const NAMES: readonly string[] = [
  ...new Set(REPORTED.flatMap(({ by, reports }) => [by, ...reports.map(([from]) => from)])),
];

/** Returns a note that the spam stage holds back. */
export function suspicious(author: Author, number: number, created_at: number): NostrEvent {
  const words = ['airdrop', 'presale', 'moon', 'gem', 'profit', 'signal', 'vip', 'pump'];
  const tags = Array.from({ length: 24 }, (_, at) => ['t', `${words[at % 8]}${at + number}`]);
  const content = `Presale number ${number} is open, whitelist closes tonight: https://presale.example/${number}`;
  return author.event({ content, tags, created_at });
}
