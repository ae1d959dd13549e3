// Tests of monitor on the thread of the test, over its real channels: hand-over of subscriptions,
// replay and live delivery.

import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Channel, channelPair } from '../../src/channel/channel.ts';
import { MessageInbox, RecordOutbox } from '../../src/channel/outbox.ts';
import { packFilters } from '../../src/channel/packed-filters.ts';
import { RecordReader, RecordWriter } from '../../src/channel/records.ts';
import type { StationName } from '../../src/messages/control.ts';
import { CheckedEvent, writeCheckedEvent } from '../../src/messages/ingester-writer.ts';
import {
  type CatchUpRequest,
  type Handover,
  writeHandover,
} from '../../src/messages/query-monitor.ts';
import {
  writeAcceptedEvent,
  writeHead,
  writeRemovedEvent,
} from '../../src/messages/writer-monitor.ts';
import { Monitor } from '../../src/monitor/monitor.ts';
import { canonicalJson } from '../../src/protocol/canonical.ts';
import { parseFilter } from '../../src/protocol/filter.ts';
import { validatedEvent } from '../../src/store/event.ts';
import { TermHasher } from '../../src/store/index/terms.ts';
import { framesOf } from '../support/deliveries.ts';
import { Generator } from '../support/generator.ts';
import type { RawFilter } from '../support/oracle.ts';
import { until } from '../support/process.ts';
import { Random } from '../support/random.ts';
import { freshDirectory, testConfig } from '../support/relay.ts';

const REPLAY_MAX = 16;
const EPHEMERAL_KIND = 20_001;

type Message = [verb: string, subId: string, event: { content: string }];

/**
 * Monitor on this thread, with channels whose other ends (writer, query, io) belong to the test.
 */
class Bench {
  readonly delivered: string[] = [];
  readonly behind: CatchUpRequest[] = [];
  readonly #generator = new Generator(new Random(1), { now: 1_750_000_000 });
  readonly #hasher = new TermHasher(new Uint8Array(8));
  readonly #channels: Channel[] = [];
  readonly #writer: Channel;
  readonly #query: RecordOutbox;
  #head = 0;

  constructor() {
    const config = testConfig(freshDirectory(), {
      'monitor.replay_events_max': REPLAY_MAX,
      'writer.batch_events_max': REPLAY_MAX,
    });
    const monitor = new Monitor(config, this.#hasher);
    this.#attach(monitor, 'io').receive((batch) => {
      const reader = new RecordReader(batch);
      while (reader.more) {
        for (const { connId, subNo, frame } of framesOf(reader)) {
          const [, subId, { content }] = JSON.parse(frame) as Message;
          this.delivered.push(`${connId}:${subNo}:${subId} ${content}`);
        }
      }
    });
    this.#writer = this.#attach(monitor, 'writer');
    const query = this.#attach(monitor, 'query');
    this.#query = new RecordOutbox(query);
    const inbox = new MessageInbox<CatchUpRequest>();
    query.receive((batch) => this.behind.push(...inbox.read(batch)));
  }

  #attach(monitor: Monitor, station: StationName): Channel {
    const [near, far] = channelPair(4096, 4096).map((end) => new Channel(end));
    monitor.attach(station, 0, near!);
    this.#channels.push(near!, far!);
    return far!;
  }

  /** Sends the head of the log, as the writer does when it is attached. */
  stands(head: number): void {
    this.#head = head;
    const records = new RecordWriter();
    writeHead(records, head);
    this.#writer.send(records.written);
  }

  /** Sends a commit of events; the content of each is its seq in the log, or `ephemeral`. */
  commit(count: number, kind = 1): void {
    const records = new RecordWriter();
    writeHead(records, this.#head);
    for (let i = 0; i < count; i++) {
      const seq = kind === EPHEMERAL_KIND ? 0 : ++this.#head;
      const content = seq === 0 ? 'ephemeral' : String(seq);
      const event = this.#generator.event({ kind, tags: [], content });
      const json = Buffer.from(canonicalJson(event));
      const batch = new RecordWriter();
      writeCheckedEvent(batch, 1, validatedEvent(event, json, this.#hasher.ofEvent(event)), json);
      const bytes = Buffer.from(batch.take());
      writeAcceptedEvent(records, seq, new CheckedEvent(new RecordReader(bytes)));
    }
    this.#writer.send(records.written);
  }

  /** Sends the removal of an event. */
  remove(seq: number): void {
    const records = new RecordWriter();
    writeHead(records, this.#head);
    writeRemovedEvent(records, seq);
    this.#writer.send(records.written);
  }

  /** Hands over a subscription that was answered up to `seq`. */
  live(subNo: number, seq: number, raw: RawFilter = {}, subId = 's'): void {
    const filter = parseFilter(raw, { filterValuesMax: 10, filterTagsMax: 10 });
    if (typeof filter === 'string') throw new Error(filter);
    this.#send({
      t: 'live',
      connId: 7,
      subNo,
      subId,
      seq,
      filters: packFilters([filter]),
      readers: [],
    });
  }

  close(subNo: number): void {
    this.#send({ t: 'close', connId: 7, subNo });
  }

  #send(handover: Handover): void {
    writeHandover(this.#query.records, handover);
    this.#query.flush();
  }

  /** Waits until all messages in flight have arrived. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await turn();
  }

  /** Returns the contents delivered to io for a subscription. */
  async got(subNo: number): Promise<string[]> {
    await this.settle();
    const prefix = `7:${subNo}:s `;
    return this.delivered
      .filter((text) => text.startsWith(prefix))
      .map((text) => text.slice(prefix.length));
  }

  end(): void {
    for (const channel of this.#channels) channel.close();
  }
}

function range(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i));
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

describe('monitor takes a subscription over', () => {
  it('and replays what came after its snapshot', async () => {
    bench.stands(100);
    bench.commit(10);
    await bench.settle();
    bench.live(1, 103);
    bench.live(2, 110);
    bench.commit(2);
    expect(await bench.got(1)).toEqual(range(104, 112));
    expect(await bench.got(2)).toEqual(['111', '112']);
    expect(bench.behind).toEqual([]);
  });

  it('among so many ids that their frames do not fit into one delivery', async () => {
    const subscriptions = 2_300;
    bench.stands(0);
    for (let subNo = 1; subNo <= subscriptions; subNo++)
      bench.live(subNo, 0, {}, `id ${subNo % 2_200}`);
    bench.commit(1);
    await until(() => bench.delivered.length >= subscriptions, 'the deliveries');
    expect(bench.delivered.length).toBe(subscriptions);
    const expected = Array.from(
      { length: subscriptions },
      (_, i) => `7:${i + 1}:id ${(i + 1) % 2_200} 1`,
    );
    expect(bench.delivered.toSorted()).toEqual(expected.toSorted());
  });

  it('and sends it nothing that its snapshot held, though monitor hears of it later', async () => {
    bench.stands(100);
    bench.live(1, 105);
    bench.commit(3);
    bench.commit(4);
    expect(await bench.got(1)).toEqual(['106', '107']);
  });

  it('at once, even if it cannot replay: query sends the rest', async () => {
    bench.stands(100);
    bench.commit(15);
    bench.commit(15);
    await bench.settle();
    bench.live(1, 110);
    bench.commit(1, EPHEMERAL_KIND);
    bench.commit(1);
    expect(await bench.got(1)).toEqual(['ephemeral', '131']);
    expect(bench.behind).toMatchObject([{ connId: 7, subNo: 1, subId: 's', seq: 110, upTo: 130 }]);
  });

  it('replays as far as it remembers, to the event', async () => {
    bench.stands(100);
    bench.commit(REPLAY_MAX);
    bench.commit(5);
    await bench.settle();
    bench.live(1, 105);
    bench.live(2, 104);
    expect(await bench.got(1)).toEqual(range(106, 121));
    expect(await bench.got(2)).toEqual([]);
    expect(bench.behind).toMatchObject([{ subNo: 2, seq: 104, upTo: 121 }]);
  });
});

describe('monitor takes a subscription over: removals, order and filters', () => {
  it('without what was removed meanwhile', async () => {
    bench.stands(0);
    bench.commit(REPLAY_MAX + 4);
    for (const seq of [1, 6, 7, 20, 99]) bench.remove(seq);
    await bench.settle();
    bench.live(1, 4);
    expect(await bench.got(1)).toEqual(
      range(5, REPLAY_MAX + 4).filter((seq) => !['6', '7', '20'].includes(seq)),
    );
    bench.commit(2);
    await bench.settle();
    bench.live(2, 19);
    expect(await bench.got(2)).toEqual(['21', '22']);
  });

  it('only when writer has said where the log stands', async () => {
    bench.live(1, 95);
    bench.live(2, 100);
    bench.live(3, 100);
    bench.close(3);
    expect(await bench.got(1)).toEqual([]);
    bench.stands(100);
    bench.commit(1);
    expect(await bench.got(1)).toEqual(['101']);
    expect(await bench.got(2)).toEqual(['101']);
    expect(await bench.got(3)).toEqual([]);
    expect(bench.behind).toMatchObject([{ subNo: 1, seq: 95, upTo: 100 }]);
  });

  it('and lets it go', async () => {
    bench.stands(0);
    bench.live(1, 0);
    bench.commit(1);
    await bench.settle();
    bench.close(1);
    bench.commit(1);
    expect(await bench.got(1)).toEqual(['1']);
  });

  it('before it looks at the events that wait beside the hand-over', async () => {
    bench.stands(0);
    await bench.settle();
    // The message of query is still in its channel when that of the writer is read.
    bench.commit(1, EPHEMERAL_KIND);
    bench.live(1, 0);
    expect(await bench.got(1)).toEqual(['ephemeral']);
  });

  it('by its filters, once however many of them match', async () => {
    bench.stands(0);
    bench.commit(2);
    await bench.settle();
    bench.live(1, 0, { kinds: [7] });
    bench.live(2, 1, { kinds: [1, 7] });
    bench.commit(1, 7);
    bench.commit(1);
    expect(await bench.got(1)).toEqual(['3']);
    expect(await bench.got(2)).toEqual(['2', '3', '4']);
  });
});
