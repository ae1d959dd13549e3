// Property tests of set reconciliation: whatever two sides have, the one that asks finds exactly
// what each lacks; and what malformed messages meet.

import { describe, expect, it } from 'vitest';
import { IdSet } from '../../src/negentropy/id-set.ts';
import { MessageError, MessageReader } from '../../src/negentropy/message.ts';
import {
  allOf,
  Inquiry,
  type MessageLimits,
  Reply,
  type Selection,
} from '../../src/negentropy/reconciliation.ts';
import { Random, testSeed } from '../support/random.ts';

const NO_LIMITS: MessageLimits = { bytes: 0, ranges: 1_000_000 };
/** Messages of a reconciliation at most; one that needs more does not end. */
const ROUNDS_MAX = 10_000;

const random = new Random(testSeed('negentropy/reconciliation'));

interface Plain {
  readonly time: number;
  readonly id: Buffer;
}

function randomItems(count: number, times: number): Plain[] {
  return Array.from({ length: count }, () => ({
    time: 1_700_000_000 + random.below(times),
    id: Buffer.from(Array.from({ length: 32 }, () => random.below(256))),
  }));
}

function setOf(items: readonly Plain[]): IdSet {
  const set = new IdSet();
  for (const { time, id } of items) set.add(time, id);
  return set;
}

function hexOf(items: Iterable<{ readonly id: Uint8Array }>): string[] {
  return [...items].map(({ id }) => Buffer.from(id).toString('hex')).sort();
}

/** Reconciles two sides; returns what the one that asks has found, and the longest messages. */
function reconcile(
  asks: Selection,
  answers: Selection,
  limits = { asks: NO_LIMITS, answers: NO_LIMITS },
) {
  const have = new Set<string>();
  const need = new Set<string>();
  const inquiry = new Inquiry(asks, limits.asks, {
    have: (id) => have.add(Buffer.from(id).toString('hex')),
    need: (id) => need.add(Buffer.from(id).toString('hex')),
  });
  const longest = { asks: 0, answers: 0 };
  let rounds = 0;
  for (let message: Buffer | null = inquiry.begin(); message !== null; rounds++) {
    if (rounds > ROUNDS_MAX) throw new Error(`no end after ${rounds} messages`);
    longest.asks = Math.max(longest.asks, message.length);
    const reply = new Reply(answers, message, limits.answers);
    // A slice ends after one range.
    let answer = reply.run(0);
    while (answer === null) answer = reply.run(0);
    longest.answers = Math.max(longest.answers, answer.length);
    message = inquiry.next(answer);
  }
  return { have: [...have].sort(), need: [...need].sort(), rounds, longest };
}

describe(`a reconciliation (seed ${random.seed})`, () => {
  it.each([
    ['nothing', 0, 0, 0, 1],
    ['one side empty', 0, 500, 0, 100],
    ['the other side empty', 500, 0, 0, 100],
    ['equal sets', 0, 0, 3000, 1000],
    ['one item', 1, 0, 3000, 1000],
    ['few differences', 20, 30, 5000, 10_000],
    ['many differences', 1500, 900, 2000, 10_000],
    ['one second', 200, 300, 3000, 1],
  ])('finds what each side lacks: %s', (_, mine, theirs, both, times) => {
    const [own, other] = [randomItems(mine, times), randomItems(theirs, times)];
    const common = randomItems(both, times);
    const [asks, answers] = [setOf([...own, ...common]), setOf([...other, ...common])];
    for (const bytes of [0, 4096, 60_000]) {
      const limits = { bytes, ranges: 1_000_000 };
      const found = reconcile(allOf(asks), allOf(answers), { asks: limits, answers: limits });
      expect(found.have).toEqual(hexOf(own));
      expect(found.need).toEqual(hexOf(other));
      if (bytes > 0) {
        expect(found.longest.asks).toBeLessThanOrEqual(bytes);
        expect(found.longest.answers).toBeLessThanOrEqual(bytes);
      }
    }
  });

  it('asks little for few differences among many', () => {
    const common = randomItems(20_000, 100_000);
    const asks = setOf([...common, ...randomItems(5, 100_000)]);
    const { rounds, longest } = reconcile(allOf(asks), allOf(setOf(common)));
    expect(rounds).toBeLessThanOrEqual(4);
    expect(longest.answers).toBeLessThan(20_000);
  });

  it('stays within the seconds of a filter', () => {
    const [own, other] = [randomItems(2000, 1000), randomItems(2000, 1000)];
    const [since, until] = [1_700_000_100, 1_700_000_300];
    const part = (set: IdSet): Selection => {
      const [from, to] = set.between(since, until);
      return { set, from, to };
    };
    const isPart = ({ time }: Plain) => time >= since && time <= until;
    const found = reconcile(part(setOf(own)), part(setOf(other)));
    expect(found.have).toEqual(hexOf(own.filter(isPart)));
    expect(found.need).toEqual(hexOf(other.filter(isPart)));
  });
});

describe(`messages (seed ${random.seed})`, () => {
  const set = setOf(randomItems(3000, 500));
  const answer = (bytes: Uint8Array, ranges = 1_000) =>
    new Reply(allOf(set), bytes, { bytes: 60_000, ranges }).run();

  it('of another version are answered by the one byte 61', () => {
    for (const version of [0x60, 0x62, 0x6f]) {
      expect(answer(Buffer.of(version, 1, 2, 3))).toEqual(Buffer.of(0x61));
    }
    const inquiry = new Inquiry(allOf(set), NO_LIMITS, { have: () => {}, need: () => {} });
    expect(() => inquiry.next(Buffer.of(0x62))).toThrow(/protocol version 1/);
  });

  it.each([
    ['no byte', '', /ends/],
    ['no version', '00', /version/],
    ['no mode', '610000', /ends/],
    ['an unknown mode', '61000003', /mode 3/],
    ['half a fingerprint', '6100000101010101', /ends/],
    ['fewer ids than announced', '6100000205', /ends within an id list/],
    ['more ids than fit into memory', '61000002ffffffffffff7f', /2\^53|ends/],
    ['a prefix of 33 bytes', `610021${'00'.repeat(33)}00`, /32 bytes/],
    ['a number beyond 2^53', '61ffffffffffffffffff7f0000', /2\^53/],
    ['bounds that fall', '610202ffff00010101ff', /order|ends/],
    ['bounds after the end', '61000000020000', /order/],
  ])('with %s are refused', (_, hex, why) => {
    const message = Buffer.from(hex, 'hex');
    expect(() => answer(message)).toThrow(MessageError);
    expect(() => answer(message)).toThrow(why);
  });

  it('with more ranges than the limit are refused', () => {
    const ranges = Buffer.from(`61${'010000'.repeat(1001)}`, 'hex');
    expect(() => answer(ranges)).toThrow(/more than 1000 ranges/);
    expect(answer(ranges, 1001)).toEqual(Buffer.of(0x61));
  });

  it('that were changed at random never cause anything but a refusal or an answer', () => {
    const good: Buffer[] = [];
    const asks = setOf(randomItems(2000, 500));
    const inquiry = new Inquiry(allOf(asks), NO_LIMITS, { have: () => {}, need: () => {} });
    for (let next: Buffer | null = inquiry.begin(); next !== null; ) {
      good.push(next);
      next = inquiry.next(new Reply(allOf(set), next, NO_LIMITS).run()!);
    }
    let answered = 0;
    for (let n = 0; n < 5000; n++) {
      const bytes = Buffer.from(random.pick(good)).subarray(0, 1 + random.below(2000));
      for (let changes = random.below(6); changes > 0; changes--) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      bytes[0] = 0x61;
      try {
        const reply = answer(bytes)!;
        expect(reply.length).toBeLessThanOrEqual(60_000);
        // What is answered is a message.
        const reader = new MessageReader(reply);
        reader.version();
        while (reader.more) reader.range();
        answered++;
      } catch (error) {
        expect(error).toBeInstanceOf(MessageError);
      }
    }
    expect(answered).toBeGreaterThan(50);
  });
});
