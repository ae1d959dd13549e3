// Unit tests of MessageScan and EventText, with random messages in many JSON notations.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, idPreimage } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { checkEventShape } from '../../src/protocol/event-check.ts';
import { EventText } from '../../src/protocol/event-text.ts';
import { MessageScan } from '../../src/protocol/message-scan.ts';
import { testSeed } from '../support/random.ts';

const seed = testSeed('protocol/message-scan');
const DEPTH_MAX = 16;

/** Characters that JSON can write in several ways, and some that it can write in one way only. */
const character = fc.constantFrom(
  ...'ab"\\/\b\f\n\r\t\u0000\u0001\u001f\u007fé日\u2028\u{1f600}[]{},: ',
);
const text = fc.array(character, { maxLength: 12 }).map((characters) => characters.join(''));

/** Share of deviations from the output of JSON.stringify in a message: 0 for none. */
const strangeness = fc.constantFrom(0, 0, 0, 0.2, 1);

function write(value: unknown, strange: () => boolean): string {
  const space = () => (strange() ? ' ' : '');
  if (Array.isArray(value)) {
    return `[${space()}${value.map((one) => write(one, strange)).join(`${space()},`)}${space()}]`;
  }
  if (typeof value !== 'string') return String(value);
  return `"${[...value].map((one) => writeCharacter(one, strange)).join('')}"`;
}

function writeCharacter(one: string, strange: () => boolean): string {
  const plain = JSON.stringify(one).slice(1, -1);
  if (!strange()) return plain;
  if (one === '/') return '\\/';
  const code = one.charCodeAt(0);
  return one.length === 1 ? `\\u${code.toString(16).padStart(4, '0')}` : plain;
}

const sample = fc.record({
  tags: fc.array(fc.array(text, { maxLength: 4 }), { maxLength: 4 }),
  content: text,
  kind: fc.nat(65_535),
  created_at: fc.nat(),
  order: fc.shuffledSubarray(['id', 'pubkey', 'created_at', 'kind', 'tags', 'content', 'sig'], {
    minLength: 7,
  }),
  repeated: fc.option(fc.constantFrom('tags', 'content', 'con\\u0074ent', 'ta\\u0067s', 'other')),
  strangeness,
  noise: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
});

type Sample = typeof sample extends fc.Arbitrary<infer T> ? T : never;

function messageOf(made: Sample): { message: Buffer; event: NostrEvent } {
  const strange = () => made.noise.next().value < made.strangeness;
  const fields: Record<string, unknown> = {
    id: '',
    pubkey: 'b'.repeat(64),
    created_at: made.created_at,
    kind: made.kind,
    tags: made.tags,
    content: made.content,
    sig: 'c'.repeat(128),
  };
  fields.id = createHash('sha256')
    .update(idPreimage(fields as unknown as NostrEvent))
    .digest('hex');
  const parts = made.order.map((name) => `"${name}":${write(fields[name], strange)}`);
  if (made.repeated !== null) {
    const value = made.repeated.startsWith('ta') ? [['x', 'y']] : 'again';
    parts.push(`"${made.repeated}":${write(value, strange)}`);
  }
  const space = () => (strange() ? '\n' : '');
  const json = `[${space()}"EVENT",${space()}{${space()}${parts.join(`${space()},`)}}${space()}]`;
  const parsed = (JSON.parse(json) as unknown[])[1];
  return { message: Buffer.from(json), event: checkEventShape(parsed) as NostrEvent };
}

describe('the scan of a message', () => {
  it('finds tags and content, or leaves them to the parser; the stored text is the same', () => {
    const scan = new MessageScan();
    const eventText = new EventText();
    let copied = 0;
    fc.assert(
      fc.property(sample, (made) => {
        const { message, event } = messageOf(made);
        scan.scan(message, DEPTH_MAX);
        if (scan.canonical) copied++;
        expect(scan.tooDeep).toBe(false);
        eventText.make(event, message, scan);
        expect(eventText.json.toString()).toBe(canonicalJson(event));
        const repeats = made.repeated !== null && made.repeated !== 'other';
        const isHash = eventText.hashesToId(event, message, scan);
        const wanted = createHash('sha256').update(idPreimage(event)).digest('hex') === event.id;
        expect(isHash).toBe(wanted);
        if (!repeats) expect(isHash).toBe(true);
        // Hashing must not change the stored text.
        expect(eventText.json.toString()).toBe(canonicalJson(event));
        if (made.strangeness === 0 && !repeats) expect(scan.canonical).toBe(true);
      }),
      { seed, numRuns: 3_000 },
    );
    expect(copied).toBeGreaterThan(500);
  });

  it('reads the second element of the message and no other', () => {
    const scan = new MessageScan();
    const eventText = new EventText();
    const event = {
      id: 'a'.repeat(64),
      pubkey: 'b'.repeat(64),
      created_at: 1,
      kind: 1,
      tags: [['t', 'mine']],
      content: 'mine',
      sig: 'c'.repeat(128),
    };
    const other = { tags: [['t', 'other']], content: 'other' };
    const message = Buffer.from(JSON.stringify(['EVENT', event, other]));
    scan.scan(message, DEPTH_MAX);
    eventText.make(event, message, scan);
    expect(eventText.json.toString()).toBe(canonicalJson(event));
  });

  it('measures the nesting outside of strings', () => {
    const scan = new MessageScan();
    const depthOf = (json: string): number => {
      for (let depth = 0; ; depth++) {
        scan.scan(Buffer.from(json), depth);
        if (!scan.tooDeep) return depth;
      }
    };
    const nested = (value: unknown): number => {
      if (typeof value !== 'object' || value === null) return 0;
      return 1 + Math.max(0, ...Object.values(value).map(nested));
    };
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(depthOf(JSON.stringify(value))).toBe(nested(value));
      }),
      { seed },
    );
    expect(depthOf('["[[[[\\"{{"]')).toBe(1);
  });

  it('never throws, whatever the bytes', () => {
    const scan = new MessageScan();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        scan.scan(Buffer.from(bytes), DEPTH_MAX);
      }),
      { seed, numRuns: 2_000 },
    );
    for (const json of ['"', '["EVENT",{"tags":["', '{"content":"\\', '["\\u00']) {
      scan.scan(Buffer.from(json), DEPTH_MAX);
    }
  });
});
