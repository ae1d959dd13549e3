// Tests of the decoders of what crosses threads: a record that is cut off or of an unknown type
// throws and says so. Unit tests of the codecs, without threads.

import { describe, expect, it } from 'vitest';
import { ownMemory } from '../../src/channel/arena.ts';
import { MessageInbox, MessageOutbox } from '../../src/channel/outbox.ts';
import { PackedLayout, packFilters, unpackFilters } from '../../src/channel/packed-filters.ts';
import { RecordReader, RecordWriter } from '../../src/channel/records.ts';
import { Ring } from '../../src/channel/ring.ts';
import { readAnswer, writeAnswer, writeVanished } from '../../src/messages/answers.ts';
import {
  ASK_EVENT,
  PLUGIN_REPLACE,
  type PluginAsk,
  type PluginResponse,
  readPluginAsk,
  readPluginResponse,
  writePluginAsk,
  writePluginResponse,
} from '../../src/messages/ingester-plugins.ts';
import {
  type QueryRequest,
  readQueryRequest,
  writeQueryRequest,
} from '../../src/messages/ingester-query.ts';
import { CheckedEvent, writeCheckedEvent } from '../../src/messages/ingester-writer.ts';
import { readClient, readFrame, writeFrame } from '../../src/messages/io-ingester.ts';
import { readFromIo, writeBarrier } from '../../src/messages/io-query.ts';
import {
  readDelivery,
  writeDelivery,
  writeHold,
  writeMonitorMark,
} from '../../src/messages/monitor-io.ts';
import { EVENTS, readQueryRecord, writeQueryRecordHead } from '../../src/messages/query-io.ts';
import { type Handover, readHandover, writeHandover } from '../../src/messages/query-monitor.ts';
import type { VanishedKey } from '../../src/messages/vanished.ts';
import { readAcceptedEvent, writeAcceptedEvent } from '../../src/messages/writer-monitor.ts';
import {
  readAcceptedHead,
  readAcceptedTerms,
  writeAcceptedHead,
  writeAcceptedTerms,
} from '../../src/messages/writer-query.ts';
import { type Filter, parseFilter } from '../../src/protocol/filter.ts';
import type { ValidatedEvent } from '../../src/store/event.ts';

const KEY = 'ab'.repeat(32);
const BODY = Buffer.from(`{"id":"${KEY}","pubkey":"${KEY}","created_at":1}`);
const CUT_OFF = /cut off|outside the bounds/;

const facts: ValidatedEvent = {
  event: {
    id: KEY,
    pubkey: KEY,
    kind: 30_000,
    created_at: 1_700_000_000,
    tags: [],
    content: '',
    sig: KEY + KEY,
  },
  json: BODY,
  expiresAt: 0,
  terms: [1, -2, 3],
  address: `30000:${KEY}:d`,
};
const filter = parseFilter(
  {
    ids: [KEY],
    authors: [KEY, KEY],
    kinds: [1, 2],
    '#t': ['a', 'ü'],
    since: 1,
    until: 2,
    limit: 3,
  },
  { filterValuesMax: 10, filterTagsMax: 10 },
) as Filter;

function checked(): CheckedEvent {
  const to = new RecordWriter();
  writeCheckedEvent(to, 7, facts, BODY, 1, 2, 'held');
  return new CheckedEvent(new RecordReader(to.take()));
}

type Codec = [
  name: string,
  write: (to: RecordWriter) => void,
  read: (from: RecordReader) => unknown,
];

const requests: QueryRequest[] = [
  {
    t: 'req',
    connId: 1,
    subNo: 2,
    subId: 'sub',
    replaces: 0,
    filters: packFilters([filter]),
    arrivedAt: 5,
    cost: 6,
  },
  { t: 'count', connId: 1, queryId: 'q', filters: packFilters([filter]), arrivedAt: 5, cost: 6 },
  { t: 'close', connId: 1, subNo: 2 },
  { t: 'refuse', connId: 1, subNo: 2, subId: 's', why: 'error: no', first: 'f', cost: 6 },
  { t: 'auth', connId: 1, readers: [KEY, KEY], answer: 'ok', cost: 1 },
  { t: 'client', connId: 1, name: '::1', address: 1, network: 2 },
  { t: 'say', connId: 1, frame: 'frame' },
  { t: 'leave', connId: 1, why: 'error: no' },
  { t: 'disconnect', connId: 1 },
];
const handovers: Handover[] = [
  {
    t: 'live',
    connId: 1,
    subNo: 2,
    subId: 'sub',
    seq: 9,
    filters: packFilters([filter]),
    readers: [KEY],
  },
  { t: 'auth', connId: 1, readers: [KEY], held: [1, 2] },
  { t: 'close', connId: 1, subNo: 2 },
  { t: 'disconnect', connId: 1 },
];
const key: VanishedKey = { pubkey: KEY, until: 5, removed: true };
const ask: PluginAsk = {
  ticket: 1,
  type: ASK_EVENT,
  connId: 2,
  kind: 1,
  sourceType: 0,
  sourceInfo: '::1',
  authed: KEY,
  subject: KEY,
  body: BODY,
};
const response: PluginResponse = {
  ticket: 1,
  outcome: PLUGIN_REPLACE,
  by: 'plugin',
  message: 'no',
  filters: '[]',
};

/** Reads a delivery to its end, prefixes included. */
function readWholeDelivery(from: RecordReader): void {
  readDelivery(from, {
    begin: () => {},
    target: (_connId, _subNo, group) => group.prefix,
    hold: () => {},
    mark: () => {},
  });
}

const codecs: Codec[] = [
  ['frame', (to) => writeFrame(to, 1, BODY), readFrame],
  ['answer', (to) => writeAnswer(to, 1, 2, 'frame'), readAnswer],
  [
    'vanished key',
    (to) => writeVanished(to, key, [{ connId: 1, acks: 2, frame: 'ok' }]),
    readAnswer,
  ],
  [
    'checked event',
    (to) => writeCheckedEvent(to, 1, facts, BODY, 1, 2, 'held'),
    (from) => new CheckedEvent(from),
  ],
  [
    'accepted event',
    (to) => {
      const batch = new RecordWriter();
      writeCheckedEvent(batch, 7, facts, BODY);
      const bytes = Buffer.from(batch.take());
      const event = new CheckedEvent(new RecordReader(bytes));
      writeAcceptedEvent(to, 3, event);
    },
    readAcceptedEvent,
  ],
  [
    'head of a batch for a query worker',
    (to) => writeAcceptedHead(to, 1, 2, [3, 4]),
    readAcceptedHead,
  ],
  ['terms', (to) => writeAcceptedTerms(to, 1, checked()), readAcceptedTerms],
  ['question', (to) => writePluginAsk(to, ask), readPluginAsk],
  ['response', (to) => writePluginResponse(to, response), readPluginResponse],
  ...requests.map(
    (request): Codec => [
      `query request ${request.t}`,
      (to) => writeQueryRequest(to, request),
      readQueryRequest,
    ],
  ),
  [
    'record of a query worker',
    (to) => {
      writeQueryRecordHead(to, EVENTS, 1, 2, 3, 1);
      to.blob(BODY);
    },
    readQueryRecord,
  ],
  ['barrier', (to) => writeBarrier(to, { n: 4, key }), readFromIo],
  ...handovers.map(
    (handover): Codec => [
      `hand-over ${handover.t}`,
      (to) => writeHandover(to, handover),
      readHandover,
    ],
  ),
  [
    'delivery',
    (to) => writeDelivery(to, BODY, new Map([['["EVENT","a",', [1, 2, 3, 4]]])),
    readWholeDelivery,
  ],
  ['hold', (to) => writeHold(to, 1, [2, 3]), readWholeDelivery],
  ['mark of monitor', (to) => writeMonitorMark(to, 4), readWholeDelivery],
];

describe('a record that is cut off', () => {
  it.each(codecs)('throws wherever it ends: %s', (_name, write, read) => {
    const to = new RecordWriter();
    write(to);
    const whole = Buffer.from(to.take());
    const from = new RecordReader(whole);
    expect(() => read(from)).not.toThrow();
    expect(from.more).toBe(false);
    for (let length = 0; length < whole.length; length++) {
      // The end of a longer memory is not the end of the batch.
      const memory = Buffer.concat([whole.subarray(0, length), Buffer.alloc(64, 1)]);
      expect(() => read(new RecordReader(memory.subarray(0, length))), `${length}`).toThrow(
        CUT_OFF,
      );
    }
  });

  it('throws in a pack of filters, in both readers', () => {
    const whole = packFilters([filter]);
    for (let length = 0; length < whole.length; length++) {
      const part = whole.slice(0, length);
      expect(() => unpackFilters(part)).toThrow(CUT_OFF);
      expect(() => {
        const from = new RecordReader(part);
        for (let left = from.u32(); left > 0; left--) new PackedLayout(from);
      }).toThrow(CUT_OFF);
    }
  });

  it('throws for a list of keys that is not whole', () => {
    const to = new RecordWriter();
    to.u32(1);
    to.u8(1 | 2);
    to.blob(Buffer.alloc(33));
    to.blob(Buffer.alloc(33));
    const bytes = to.take();
    expect(() => unpackFilters(bytes)).toThrow('a list of keys in a packed filter is cut off');
    const from = new RecordReader(bytes);
    from.u32();
    expect(() => new PackedLayout(from)).toThrow('a list of keys in a packed filter is cut off');
  });
});

describe('a record of an unknown type', () => {
  const wrong: [name: string, bytes: number[], read: Codec[2], message: string][] = [
    ['io', [99], readFrame, 'a record of io has an unknown type'],
    ['io, type 0', [0], readFrame, 'a record of io has an unknown type'],
    ['ingester', [99], readQueryRequest, 'missing: type of a query request'],
    ['query to io', [99], readQueryRecord, 'a record of a query worker has an unknown type'],
    ['query to monitor', [99], readHandover, 'missing: type of a hand-over'],
    [
      'question to a plugin',
      [1, 0, 0, 0, 9],
      readPluginAsk,
      'a question to a plugin has an unknown type',
    ],
    [
      'response of a plugin',
      [1, 0, 0, 0, 9],
      readPluginResponse,
      'a response of a plugin has an unknown outcome',
    ],
  ];

  it.each(wrong)('throws: %s', (_name, bytes, read, message) => {
    expect(() => read(new RecordReader(Buffer.from([...bytes, ...Array(64).fill(0)])))).toThrow(
      message,
    );
  });

  it('throws for a client that lacks fields, and for a key that is none', () => {
    expect(() => readClient(Buffer.from('127.0.0.1'))).toThrow('lacks a field');
    const to = new RecordWriter();
    writeBarrier(to, { n: 1, key: { ...key, pubkey: 'ab' } });
    expect(() => readFromIo(new RecordReader(to.take()))).toThrow('64 digits');
  });
});

describe('a batch', () => {
  it('throws if it is longer than its ring', () => {
    const memory = Ring.share(64);
    const [writer, reader] = [new Ring(memory), new Ring(memory)];
    writer.push(1, Buffer.alloc(8));
    const words = new Int32Array(memory);
    const length = words.lastIndexOf(8);
    for (const wrong of [-1, 64, 2 ** 31 - 1]) {
      words[length] = wrong;
      expect(() => reader.shift(1, ownMemory)).toThrow('a batch in a ring is longer than the ring');
    }
    words[length] = 8;
    expect(reader.shift(1, ownMemory)).toEqual(Buffer.alloc(8));
  });

  it('throws if it is not a list of messages, or cut off', () => {
    const batches: Uint8Array[] = [];
    const channel = { send: (batch: Uint8Array) => batches.push(Buffer.from(batch)) };
    const outbox = new MessageOutbox<{ t: string }>(channel as never);
    outbox.send({ t: 'one' });
    outbox.flush();
    const [batch = Buffer.alloc(0)] = batches;
    const inbox = new MessageInbox<{ t: string }>();
    expect(inbox.read(batch)).toEqual([{ t: 'one' }]);
    expect(() => inbox.read(Buffer.from([1]))).toThrow('a batch of messages is not a list');
    expect(() => inbox.read(batch.subarray(0, batch.length - 1))).toThrow();
  });
});
