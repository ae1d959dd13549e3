// Malformed and hostile negentropy messages over real sockets: every one gets an answer with its
// id, and memory stays bounded. WOK_TEST_ROUNDS sets the number of rounds of 4,000 messages; 250
// are a million.

import { describe, expect, it } from 'vitest';
import { Author, now } from '../support/author.ts';
import { TEST_MILLISECONDS } from '../support/ceiling.ts';
import { Client, type Message } from '../support/client.ts';
import { WokProcess } from '../support/process.ts';
import { Random, testSeed } from '../support/random.ts';
import { Syncing } from '../support/syncing.ts';

const ROUNDS = Number(process.env.WOK_TEST_ROUNDS ?? 1);
const MESSAGES = 4_000;
const AT_ONCE = 20;
const RSS_GROWTH_MAX = 100 * 1024 * 1024;

const random = new Random(testSeed('stress/negentropy-fuzz'));
const author = new Author();

const bytes = (count: number) =>
  Buffer.from(Array.from({ length: count }, () => random.below(256)));

/** Returns a number as the protocol writes it: base 128, the most significant digit first. */
function varint(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.unshift((rest % 128) + 128);
  return digits;
}

/** Messages that are not of the protocol, or that ask for as much as they can. */
const MAKERS: Readonly<Record<string, () => Buffer | string>> = {
  noise: () => bytes(random.below(200)),
  'noise with the version': () => Buffer.concat([Buffer.from([0x61]), bytes(random.below(200))]),
  'a huge number': () =>
    Buffer.from([0x61, ...Array.from({ length: random.below(40) }, () => 255)]),
  'an id list without its ids': () =>
    Buffer.from([0x61, 0, 0, 2, ...varint(random.below(2 ** 31)), ...bytes(random.below(64))]),
  'a prefix that is too long': () => Buffer.from([0x61, 1, 33 + random.below(90), ...bytes(40)]),
  'falling bounds': () => Buffer.from([0x61, ...varint(500), 0, 0, 1, 0, 0, 0, 0, 0]),
  'many ranges': () => {
    const ranges = Array.from({ length: 1 + random.below(3_000) }, () => [2, 0, 1, ...bytes(16)]);
    return Buffer.from([0x61, ...ranges.flat()]);
  },
  'many ids': () => {
    const count = random.below(1_500);
    return Buffer.concat([Buffer.from([0x61, 0, 0, 2, ...varint(count)]), bytes(count * 32)]);
  },
  'another version': () => Buffer.from([0x60 + random.below(16), 0, 0, 0]),
  'no hex': () => random.pick(['', '6', '6z', 'ä', '61'.repeat(10).concat('g'), '\u0000']),
};

function hexOf(made: Buffer | string): string {
  return typeof made === 'string' ? made : made.toString('hex');
}

/** Damages a valid message at some places. */
function damaged(valid: string): string {
  const message = Buffer.from(valid, 'hex');
  for (let n = 1 + random.below(4); n > 0; n--)
    message[random.below(message.length)] = random.below(256);
  return message.subarray(0, 1 + random.below(message.length)).toString('hex');
}

function next(valid: string): string {
  const maker = random.pick([...Object.keys(MAKERS), 'damaged']);
  return maker === 'damaged' ? damaged(valid) : hexOf(MAKERS[maker]!());
}

/** Sends one hostile message, to a new session or to an open one; resolves with its answer. */
async function attack(client: Client, id: string, valid: string): Promise<Message> {
  const answer = () => client.next(([verb, of]) => verb.startsWith('NEG-') && of === id, id);
  if (random.chance(0.5)) {
    client.send(['NEG-OPEN', id, random.chance(0.5) ? {} : { kinds: [1] }, next(valid)]);
    return answer();
  }
  client.send(['NEG-OPEN', id, {}, valid]);
  expect((await answer())[0]).toBe('NEG-MSG');
  client.send(['NEG-MSG', id, next(valid)]);
  return answer();
}

describe('malformed negentropy messages', () => {
  it(`all get an answer with their id, ${ROUNDS} times ${MESSAGES}`, {
    timeout: (1 + ROUNDS) * TEST_MILLISECONDS,
  }, async () => {
    const wok = await WokProcess.start();
    const client = await Client.connect(wok.url);
    const notes = Array.from({ length: 300 }, (_, n) => author.event({ created_at: now() - n }));
    for (const note of notes) client.send(['EVENT', note]);
    for (const { id } of notes) expect((await client.ok(id))[2]).toBe(true);
    const syncing = new Syncing(client, notes.slice(50));
    const valid = syncing.first();
    const before = wok.rssBytes();
    const answers = { 'NEG-MSG': 0, 'NEG-ERR': 0 };
    for (let sent = 0; sent < ROUNDS * MESSAGES; sent += AT_ONCE) {
      const ids = Array.from({ length: AT_ONCE }, (_, n) => `s${n}`);
      for (const answer of await Promise.all(ids.map((id) => attack(client, id, valid)))) {
        const [verb, , text] = answer as ['NEG-MSG' | 'NEG-ERR', string, string];
        answers[verb]++;
        if (verb === 'NEG-ERR') expect(text).toMatch(/^(?:invalid|closed|blocked): \S/);
        else expect(text).toMatch(/^61(?:[0-9a-f]{2})*$/);
      }
      for (const id of ids) client.send(['NEG-CLOSE', id]);
      expect(client.inbox).toEqual([]);
    }
    expect(answers['NEG-ERR']).toBeGreaterThan(answers['NEG-MSG']);
    // The honest session is still right, and nothing has grown.
    const honest = new Syncing(await Client.connect(wok.url), notes.slice(50));
    await honest.finish(await honest.open({}));
    expect(honest.need.size).toBe(50);
    expect(wok.rssBytes() - before).toBeLessThan(RSS_GROWTH_MAX);
    wok.signal('SIGTERM');
    expect(await wok.exited).toMatchObject({ code: 0 });
  });
});
