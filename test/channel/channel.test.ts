// Tests of ring, arena and channel, on one thread and between worker threads.

import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Arena, ownMemory } from '../../src/channel/arena.ts';
import { Channel, channelPair } from '../../src/channel/channel.ts';
import { MessageInbox, MessageOutbox } from '../../src/channel/outbox.ts';
import { packFilters, unpackFilters } from '../../src/channel/packed-filters.ts';
import { Ring } from '../../src/channel/ring.ts';
import { packageRoot } from '../../src/paths.ts';
import { type Filter, parseFilter } from '../../src/protocol/filter.ts';
import { Generator } from '../support/generator.ts';
import { until } from '../support/process.ts';
import { Random, testSeed } from '../support/random.ts';

const SEED = testSeed('channel/channel');

/** Makes a batch of this length that contains its position. */
function batchOf(place: number, length: number): Buffer {
  const batch = Buffer.alloc(4 + length, place);
  batch.writeUInt32LE(place);
  return batch;
}

function expectBatch(batch: Uint8Array, place: number): void {
  expect(Buffer.compare(batch, batchOf(place, batch.length - 4))).toBe(0);
}

describe('a ring', () => {
  it('gives back what was put in, round and round', () => {
    const random = new Random(SEED);
    const memory = Ring.share(1024);
    const [writer, reader] = [new Ring(memory), new Ring(memory)];
    let [written, read] = [0, 0];
    for (let step = 0; step < 20_000; step++) {
      if (random.chance(0.5)) {
        const batch = batchOf(written, random.below(200));
        if (writer.push(written, batch)) written++;
        else expect(writer.unread + batch.length + 15).toBeGreaterThan(1024);
      } else {
        expect(reader.shift(read + 1, ownMemory)).toBeNull();
        const batch = reader.shift(read, ownMemory);
        expect(batch === null).toBe(read === written);
        if (batch !== null) expectBatch(batch, read++);
      }
    }
    expect(read).toBeGreaterThan(1_000);
  });
});

describe('an arena', () => {
  it('gives no memory again that is still needed, whatever was flushed in between', () => {
    const random = new Random(SEED);
    let held: { batch: Buffer; place: number }[] = [];
    const look = () => {
      for (const { batch, place } of held) expectBatch(batch, place);
    };
    let turns = 0;
    const flush = () => {
      look();
      held = [];
      turns++;
    };
    const arena = new Arena(2_000, () => held.length === 0, flush);
    for (let place = 0; place < 5_000; place++) {
      const batch = batchOf(place, random.below(random.chance(0.01) ? 3_000 : 200));
      const taken = arena.take(batch.length);
      // A flush here releases earlier batches only; this one is taken and still needed.
      if (random.chance(0.1)) flush();
      taken.set(batch);
      held.push({ batch: taken, place });
      if (random.chance(0.05)) flush();
    }
    look();
    expect(turns).toBeGreaterThan(200);
  });
});

describe('a channel', () => {
  it('keeps the order of what goes through the ring and of what is too large for it', async () => {
    const random = new Random(SEED);
    const [near, far] = channelPair(256, 256).map((end) => new Channel(end));
    onTestFinished(() => near!.close());
    let [sent, received] = [0, 0];
    far!.receive((batch) => expectBatch(batch, received++));
    for (let step = 0; step < 2_000; step++) {
      for (let n = random.below(4); n > 0; n--) {
        near!.send(batchOf(sent++, random.below(random.chance(0.1) ? 1_000 : 60)));
      }
      if (random.chance(0.2)) far!.drain();
      if (random.chance(0.1)) await turn();
    }
    await until(() => received === sent, 'everything');
  });

  it('takes a copy of a batch that is too large for the ring, and leaves the memory to the sender', async () => {
    const [near, far] = channelPair(256, 256).map((end) => new Channel(end));
    onTestFinished(() => near!.close());
    const received: Uint8Array[] = [];
    far!.receive((batch) => received.push(batch));
    // All sorts of memory: an own buffer, a part of one, and a piece of the pool of Node.js.
    const whole = batchOf(0, 1_000);
    const rest = new Uint8Array(4_096).fill(9);
    const part = rest.subarray(100, 1_100);
    part.set(batchOf(1, 996));
    const pooled = Buffer.from(batchOf(2, 1_000));
    const beside = Buffer.from(batchOf(7, 1_000));
    const batches = [whole, part, pooled];
    for (const batch of batches) near!.send(batch);
    for (const [place, batch] of batches.entries()) {
      expect(batch.length).toBeGreaterThan(999);
      expectBatch(batch, place);
      // The memory belongs to the sender again.
      batch.fill(0xff);
    }
    expectBatch(beside, 7);
    expect(rest.length).toBe(4_096);
    await until(() => received.length === batches.length, 'everything');
    for (const [place, batch] of received.entries()) {
      expect(batch.length).toBe(batches[place]!.length);
      expectBatch(batch, place);
    }
  });

  it('carries messages that are too large for the ring, and the next ones', async () => {
    const random = new Random(SEED);
    const [near, far] = channelPair(4096, 256).map((end) => new Channel(end));
    onTestFinished(() => near!.close());
    const [outbox, inbox] = [new MessageOutbox<object>(near!), new MessageInbox<object>()];
    const received: object[] = [];
    far!.receive((batch) => received.push(...inbox.read(batch)));
    const sent = Array.from({ length: 200 }, (_, place) => ({
      place,
      text: 'é日'.repeat(random.below(random.chance(0.2) ? 20_000 : 20)),
    }));
    for (const message of sent) {
      outbox.send(message);
      if (random.chance(0.5)) outbox.flush();
      if (random.chance(0.1)) await turn();
    }
    await until(() => received.length === sent.length, 'everything');
    expect(received).toEqual(sent);
  });
});

describe('a channel: when batches leave', () => {
  it('leaves a quiet batch until somebody looks, or the ring is half full', async () => {
    const [near, far] = channelPair(256, 256).map((end) => new Channel(end));
    onTestFinished(() => near!.close());
    const received: number[] = [];
    far!.receive((batch) => received.push(batch[0]!));
    for (let i = 0; i < 5; i++) await turn();
    near!.send(batchOf(1, 0), true);
    for (let i = 0; i < 5; i++) await turn();
    expect(received).toEqual([]);
    expect(far!.drain()).toBe(true);
    expect(received).toEqual([1]);
    near!.send(batchOf(2, 0), true);
    near!.wakePeer();
    await until(() => received.length === 2, 'being woken');
    for (let place = 3; place < 20; place++) near!.send(batchOf(place, 0), true);
    await until(() => received.length > 5, 'the ring being half full');
    expect(received).toEqual(Array.from(received, (_, i) => i + 1));
  });

  it('carries everything to and fro between threads, asleep or awake', async () => {
    const random = new Random(SEED);
    const [near, far] = channelPair(4096, 2048);
    const module = pathToFileURL(join(packageRoot, 'dist/src/channel/channel.js')).href;
    const worker = new Worker(
      `import('${module}').then(({ Channel }) => {
        const channel = new Channel(require('node:worker_threads').workerData);
        channel.receive((batch) => channel.send(batch));
      })`,
      { eval: true, workerData: far, transferList: [far.port] },
    );
    onTestFinished(() => void worker.terminate());
    const channel = new Channel(near);
    const total = 30_000;
    let [sent, received] = [0, 0];
    channel.receive((batch) => expectBatch(batch, received++));
    while (sent < total) {
      for (let n = random.below(50); n > 0 && sent < total; n--) {
        channel.send(batchOf(sent++, random.below(random.chance(0.01) ? 6_000 : 200)));
      }
      if (random.chance(0.02)) await until(() => received === sent, 'a rest');
      else if (sent - received > 2_000) await turn();
    }
    await until(() => received === total, 'everything');
  });
});

describe('packed filters', () => {
  it('are the filters again', () => {
    const random = new Random(SEED);
    const generator = new Generator(random, { now: 1_750_000_000 });
    for (let n = 0; n < 300; n++) generator.event({});
    for (let n = 0; n < 2_000; n++) {
      const filters = generator
        .filters()
        .map((raw) => parseFilter(raw, { filterValuesMax: 10_000, filterTagsMax: 10 }) as Filter);
      expect(unpackFilters(packFilters(filters))).toMatchObject(filters);
    }
    const strange = parseFilter(
      { '#t': ['', 'ü🙂', '\u0000'], limit: 2 ** 53 - 1, since: 0, kinds: [65_535], ids: [] },
      { filterValuesMax: 10, filterTagsMax: 10 },
    ) as Filter;
    expect(unpackFilters(packFilters([strange]))).toMatchObject([strange]);
  });
});
