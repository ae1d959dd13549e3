// Tests of packed bodies, which must unpack to exactly the original JSON: unit tests with random
// events, the SQL view, and a real relay and commands on databases with both forms.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schemaFile } from '../../src/paths.ts';
import { canonicalJson } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import {
  BodyMaker,
  bodyOfRow,
  eventOf,
  idOf,
  jsonBytesOf,
  jsonOf,
  pubkeyOf,
} from '../../src/store/body/body.ts';
import { PIECES } from '../../src/store/body/format.ts';
import { isPacked, UNPACK_SLACK, unpack, unpackedLength } from '../../src/store/body/unpack.ts';
import { StorageError } from '../../src/store/database/error.ts';
import * as sql from '../../src/store/database/sql.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { Generator } from '../support/generator.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory, startRelay } from '../support/relay.ts';
import { wok } from '../support/wok.ts';

const SEED = testSeed('store/packed');
const packer = new BodyMaker(true);

function packed(json: string): Buffer {
  return Buffer.from(packer.make(Buffer.from(json)));
}

const hex = (digits: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits, maxLength: digits })
    .map((found) => found.join(''));

/** Parts of text that are packed, that nearly are, and that resemble packed bytes. */
const part = fc.oneof(
  fc.constantFrom(...PIECES.map(String)),
  fc.constantFrom(...PIECES.map(String)).map((piece) => piece.slice(0, -1)),
  fc.nat(80).chain(hex),
  fc.constantFrom(64, 128, 510, 512, 1100).chain(hex),
  fc.constantFrom(
    'a',
    'A',
    '"',
    '\\',
    '[',
    ']',
    '\n',
    '\n\n',
    'g0',
    '\u0000\u001f\u007f',
    'é日\u{1f600}',
  ),
  fc.string({ unit: 'binary' }),
);
const text = fc
  .array(part, { maxLength: 8 })
  .map((parts) => (parts.join('') as string & { toWellFormed(): string }).toWellFormed());
/** JSON inside a string, as in reposts and zap receipts. */
const inner = fc
  .array(fc.array(text, { maxLength: 3 }), { maxLength: 3 })
  .map((tags) => JSON.stringify({ id: 'ab'.repeat(32), tags, content: '', kind: 1 }));

const anyEvent: fc.Arbitrary<NostrEvent> = fc.record({
  id: hex(64),
  pubkey: hex(64),
  created_at: fc.oneof(fc.maxSafeNat(), fc.nat(), fc.constantFrom(0, 127, 128, 2 ** 31, 2 ** 32)),
  kind: fc.nat(65_535),
  tags: fc.array(
    fc.oneof(
      fc.array(text, { maxLength: 4 }),
      fc.tuple(fc.constantFrom('e', 'p', 't', 'r'), hex(64)),
    ),
    { maxLength: 6 },
  ),
  content: fc.oneof(text, inner),
  sig: hex(128),
});

function expectSame(event: NostrEvent): void {
  const json = canonicalJson(event);
  const body = packed(json);
  expect(isPacked(body)).toBe(true);
  expect(body.length).toBeLessThan(Buffer.byteLength(json) - 160);
  expect(jsonOf(body)).toBe(json);
  expect(jsonBytesOf(body).toString()).toBe(json);
  expect(eventOf(body)).toEqual(event);
  expect([idOf(body), pubkeyOf(body)]).toEqual([event.id, event.pubkey]);
}

describe('a packed body', () => {
  it('is the JSON again when it is unpacked, whatever the event', () => {
    fc.assert(fc.property(anyEvent, expectSame), { seed: SEED | 0, numRuns: 1_000 });
  });

  it('is the JSON again for the events of the generator', () => {
    const generator = new Generator(new Random(SEED), { now: 1_800_000_000 });
    for (let n = 0; n < 2_000; n++) expectSame(generator.next());
  });

  it.skipIf(!process.env.WOK_TEST_DATA)('is the JSON again for real events', () => {
    const path = join(process.env.WOK_TEST_DATA ?? '', 'real-events.jsonl');
    for (const line of readFileSync(path, 'utf8').trim().split('\n')) {
      expectSame(JSON.parse(line) as NostrEvent);
    }
  });

  it('has the form that is written down, for ever', () => {
    const [id, pubkey, sig] = ['ab', 'cd', 'ef'].map((byte) => byte.repeat(32));
    const event = {
      id: id!,
      pubkey: pubkey!,
      created_at: 300,
      kind: 258,
      tags: [
        ['e', id!, 'wss://é', 'root'],
        ['p', pubkey!],
      ],
      content: 'deadbeef01234567',
      sig: sig!.repeat(2),
    };
    const json = canonicalJson(event);
    const head = `01${'000000'}${id}${pubkey}${sig}${sig}0201ac02`;
    const text = `06${id}0ec3a90f03${pubkey}110208deadbeef0123456722`;
    const body = packed(json);
    body.fill(0, 1, 4);
    expect(body.toString('hex')).toBe(head + text);
    expect(unpackedLength(packed(json))).toBe(Buffer.byteLength(json));
  });

  it('stays JSON where it could not be told from what is packed, or is too long', () => {
    const json = Buffer.from(canonicalJson(new Author().event({ content: 'x' })));
    const raw = Buffer.from(json);
    raw[raw.indexOf('"x"') + 1] = 0x05;
    expect(packer.make(raw)).toBe(raw);
    const long = Buffer.from(canonicalJson(new Author().event({ content: 'x'.repeat(2 ** 24) })));
    expect(packer.make(long)).toBe(long);
    expect(new BodyMaker(false).make(json)).toBe(json);
    for (const body of [json, json.toString()]) {
      expect(jsonOf(body)).toBe(json.toString());
      expect(packed(jsonOf(body)).equals(packed(json.toString()))).toBe(true);
    }
  });
});

describe('a packed body that is damaged', () => {
  it('is refused when it is damaged, and nothing beyond its place is written', () => {
    const random = new Random(SEED);
    const generator = new Generator(random, { now: 1_800_000_000 });
    const guard = 64;
    let refused = 0;
    for (let n = 0; n < 20_000; n++) {
      const whole = packed(canonicalJson(generator.next()));
      const body = random.chance(0.3)
        ? whole.subarray(0, random.below(whole.length))
        : Buffer.from(whole);
      // The first four bytes stay, because the memory is sized by the length in them.
      for (let bytes = 1 + random.below(4); bytes > 0 && body.length > 4; bytes--) {
        body[4 + random.below(body.length - 4)] = random.below(random.chance(0.5) ? 32 : 256);
      }
      const length = body.length < 4 ? 1_000 : body.readUIntLE(1, 3);
      const memory = Buffer.alloc(guard + length + UNPACK_SLACK + guard, 0xee);
      const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
      try {
        expect(unpack(body, memory, view, guard)).toBe(length);
      } catch (error) {
        expect(error).toBeInstanceOf(StorageError);
        refused++;
      }
      expect(memory.subarray(0, guard).every((byte) => byte === 0xee)).toBe(true);
      expect(memory.subarray(-guard).every((byte) => byte === 0xee)).toBe(true);
    }
    expect(refused).toBeGreaterThan(5_000);
  });

  it('is refused wherever it is cut off, and with a code or a length that none has', () => {
    const whole = packed(canonicalJson(new Author().event({ tags: [['e', 'ab'.repeat(32)]] })));
    const damage = 'a packed body in the database is damaged';
    for (let length = 1; length < whole.length; length++) {
      expect(() => jsonOf(whole.subarray(0, length))).toThrow(damage);
    }
    const wrong: [name: string, spoil: (body: Buffer) => void][] = [
      ['length of the JSON', (body) => body.fill(0, 1, 4)],
      ['created_at', (body) => body.fill(255, 134)],
      ['code', (body) => body.fill(0, body.length - 1)],
    ];
    for (const [name, spoil] of wrong) {
      const body = Buffer.from(whole);
      spoil(body);
      expect(() => jsonOf(body), name).toThrow(damage);
    }
    expect(() => unpackedLength(whole.fill(2, 0, 1))).toThrow(damage);
  });
});

describe('the body in a row', () => {
  it('is text or bytes; what else a damaged page holds is refused', () => {
    expect(bodyOfRow('{}')).toBe('{}');
    expect(bodyOfRow(undefined)).toBeNull();
    for (const value of [null, 1, 2n, {}]) {
      expect(() => bodyOfRow(value)).toThrow('neither text nor bytes');
    }
  });
});

describe('the view for people', () => {
  it('shows the JSON of both forms, as SQL alone unpacks it', () => {
    const db = new Database(':memory:');
    db.exec(readFileSync(schemaFile, 'utf8'));
    const insert = db.prepare('INSERT INTO event VALUES (?, ?, ?, NULL, ?, NULL)');
    const shown = db.prepare(
      'SELECT id, pubkey, tags, content, json FROM nostr_event WHERE seq = ?',
    );
    let seq = 0;
    fc.assert(
      fc.property(anyEvent, (event) => {
        const json = canonicalJson(event);
        for (const body of [json, packed(json)]) {
          insert.run(++seq, event.created_at, event.kind, body);
          const row = shown.get(seq) as Record<string, string>;
          expect(row.json).toBe(json);
          expect([row.id, row.pubkey]).toEqual([event.id, event.pubkey]);
        }
      }),
      { seed: SEED | 0, numRuns: 300 },
    );
    const note = new Author().event({ tags: [['t', 'a']], content: 'b\n"c"' });
    insert.run(++seq, note.created_at, note.kind, packed(canonicalJson(note)));
    expect(shown.get(seq)).toMatchObject({ tags: '[["t","a"]]', content: 'b\n"c"' });
  });
});

describe('statements', () => {
  it('look into bodies of both forms', () => {
    for (const [name, value] of Object.entries(sql)) {
      if (typeof value !== 'string') continue;
      const rest = value.replaceAll(/iif\(typeof\([\w.]*json\) = 'blob', .*?, 64\)\)/g, '');
      expect(rest, name).not.toMatch(
        /(substr|instr|json_extract|length)\((e\.)?json\b(?!\)+ AS bytes)/,
      );
    }
  });
});

describe('databases with both forms', () => {
  it('keep plain bodies as they are, and all of it is found, shown, deleted and checked', async () => {
    const directory = freshDirectory();
    const author = new Author();
    const since = now() - 1_000;
    const early = Array.from({ length: 60 }, (_, n) =>
      author.event({ created_at: since + n, tags: [['t', 'both']], content: `early ${n}` }),
    );
    const late = Array.from({ length: 60 }, (_, n) =>
      author.event({ created_at: since + 500 + n, tags: [['t', 'both']], content: `late ${n}` }),
    );
    const made = new Database(join(directory, 'wok.db'));
    made.exec(readFileSync(schemaFile, 'utf8'));
    made
      .prepare("INSERT INTO meta VALUES ('term_key', ?), ('indexed_seq', 0)")
      .run(Buffer.alloc(8, 7));
    const insert = made.prepare('INSERT INTO event VALUES (?, ?, 1, NULL, ?, NULL)');
    for (const [n, event] of early.entries()) {
      insert.run(n + 1, event.created_at, canonicalJson(event));
    }
    made.close();
    const relay = await startRelay({ 'query.cache_bytes': 0 }, directory);
    const client = await Client.connect(relay.url);
    for (const event of late) await client.publish(event);
    const newest = [...early, ...late].reverse();
    expect((await client.query({ '#t': ['both'] })).events).toEqual(newest);
    const found = await client.query({ ids: [early[3]!.id, late[3]!.id] });
    expect(found.events).toEqual([late[3], early[3]]);
    const deletion = author.deletion([
      ['e', early[0]!.id],
      ['e', late[0]!.id],
    ]);
    await client.publish(deletion);
    await client.close();
    await relay.stop();
    const kept = [...early.slice(1), ...late.slice(1)];
    const db = new Database(join(directory, 'wok.db'), { readonly: true });
    const forms = 'SELECT typeof(json) AS form, count(*) AS n FROM event GROUP BY 1 ORDER BY 1';
    expect(db.prepare(forms).all()).toEqual([
      { form: 'blob', n: 60 },
      { form: 'text', n: 59 },
    ]);
    db.close();
    const lines = (events: readonly NostrEvent[]) => events.map((one) => `${canonicalJson(one)}\n`);
    const only = ['--kinds', '1', '--data', directory];
    expect((await wok(['export', ...only])).out).toBe(lines(kept).join(''));
    const health = await wok(['doctor', '--json', '--data', directory]);
    const { findings } = JSON.parse(health.out) as { findings: { severity: string }[] };
    expect(findings.filter(({ severity }) => severity === 'bad')).toEqual([]);
    // The option applies to new events only; stored events of both forms stay readable.
    const again = await startRelay({ 'storage.pack_bodies': false }, directory);
    const next = await Client.connect(again.url);
    const plain = author.event({ created_at: since + 900, tags: [['t', 'both']] });
    await next.publish(plain);
    expect((await next.query({ '#t': ['both'] })).events).toEqual([...kept, plain].reverse());
    await next.close();
    await again.stop();
    const after = new Database(join(directory, 'wok.db'), { readonly: true });
    expect(after.prepare(forms).all()).toContainEqual({ form: 'text', n: 60 });
    after.close();
  });
});
