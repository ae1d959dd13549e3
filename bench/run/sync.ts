// Scenario sync: wok sync, a mirror and an import, between or beside relays that are started here.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';
import { formatBytes, formatCount } from '../../src/lib/format.ts';
import { parseTarget } from '../client/target.ts';
import { Dataset } from '../dataset/dataset.ts';
import { cachedDataset } from '../dataset/generate.ts';
import { datasetParameters } from '../dataset/parameters.ts';
import { Histogram } from '../figures/histogram.ts';
import { ProcessMeter } from '../relay/process-meter.ts';
import { openSession, type Session } from '../relay/session.ts';
import { ownWok, type StartedRelay, startRelay } from '../relay/start.ts';
import type { CaseResult } from '../report/result.ts';
import { storedSample } from './read-back.ts';
import type { RunOptions } from './run-case.ts';

const DIFFERENCES_MAX = 1_000;
/** Notes a second of the case mirror, and rounds a second of the honest client. */
const RATE = 50;
const SECONDS = 10;
const SECONDS_SHORT = 1;
const ANSWER_MILLISECONDS = 60_000;
/** Offsets of the seeds of the datasets beside the main one. */
const SEEDS = { mine: 1_000, theirs: 2_000, notes: 3_000, honest: 4_000, imported: 5_000 } as const;

/** Runs the cases; the relay under test is the one that others fetch from. */
export async function runSync(options: RunOptions): Promise<Session['facts']> {
  const session = await openSession(options.source);
  const bench = new SyncBench(options, session);
  try {
    await bench.run();
    return session.facts;
  } finally {
    options.progress.clear();
    await bench.end();
    await session.end();
  }
}

class SyncBench {
  readonly #options: RunOptions;
  readonly #there: StartedRelay;
  readonly #wok: string;
  readonly #others: StartedRelay[] = [];
  #thereUrl: string;

  constructor(options: RunOptions, { started }: Session) {
    if (started === undefined || options.source.from !== 'start') {
      throw new Error('the scenario sync starts its relays itself; leave out the address');
    }
    this.#options = options;
    this.#there = started;
    this.#thereUrl = started.url;
    this.#wok = options.source.wok ?? ownWok;
  }

  async run(): Promise<void> {
    const { events } = this.#options.parameters;
    await this.#there.halt();
    await this.#import(this.#there.dataDirectory, await this.#dataset(0, events));
    this.#thereUrl = await this.#there.restart();
    const here = await this.#start([]);
    await this.#fetch(here, events);
    await this.#differences(here, Math.max(Math.min(DIFFERENCES_MAX, Math.floor(events / 20)), 1));
    await this.#mirror();
    await this.#importBeside(here, events);
  }

  async end(): Promise<void> {
    for (const relay of this.#others.splice(0)) await relay.stop();
  }

  async #fetch(here: StartedRelay, events: number): Promise<void> {
    const measured = await this.#measured('fetch', [here], () => this.#sync(here, '--dir', 'down'));
    const stored = await Dataset.load(await this.#dataset(0, events), 1_000);
    const { asked, found } = await storedSample(parseTarget(here.url), stored);
    this.#report({
      ...measured,
      name: 'fetch',
      done: events,
      wrong: found === asked ? {} : { 'an event was not fetched': asked - found },
    });
  }

  async #differences(here: StartedRelay, each: number): Promise<void> {
    await this.#import(here.dataDirectory, await this.#dataset(SEEDS.mine, each));
    await this.#import(this.#there.dataDirectory, await this.#dataset(SEEDS.theirs, each));
    const measured = await this.#measured('differences', [here], () => this.#sync(here));
    const again = await this.#sync(here, '--dir', 'none');
    const isEqual = again.includes('0 are missing here, 0 there');
    const [first = ''] = measured.output.split('\n');
    this.#report({
      ...measured,
      name: 'differences',
      done: 2 * each,
      wrong: isEqual ? {} : { 'the relays differ afterwards': 1 },
      notes: [...measured.notes, first],
    });
  }

  /** Measures the time from the publication of a note to its delivery by a mirror. */
  async #mirror(): Promise<void> {
    const entry = [{ urls: [this.#thereUrl], dir: 'down', repair: false }];
    const mirror = await this.#start([`peers=${JSON.stringify(entry)}`]);
    const count = RATE * this.#seconds;
    const notes = await this.#lines(SEEDS.notes, count);
    const [subscriber, author] = [await open(mirror.url), await open(this.#thereUrl)];
    const latencies = new Histogram();
    const sentAt = new Map<string, number>();
    let arrived = 0;
    let done = () => {};
    subscriber.on('message', (data) => {
      const message = JSON.parse(String(data)) as [string, string, { id: string }];
      const at = message[0] === 'EVENT' ? sentAt.get(message[2].id) : undefined;
      if (at === undefined) return;
      latencies.record((performance.now() - at) * 1000);
      if (++arrived === count) done();
    });
    await answerTo(subscriber, ['REQ', 'm', { limit: 0 }], 'EOSE');
    await delay(1_000);
    const measured = await this.#measured('mirror', [mirror], async () => {
      const all = new Promise<void>((resolve) => {
        done = resolve;
      });
      for (const line of notes) {
        const { id } = JSON.parse(line) as { id: string };
        sentAt.set(id, performance.now());
        author.send(`["EVENT",${line}]`);
        await delay(1_000 / RATE);
      }
      await Promise.race([all, delay(ANSWER_MILLISECONDS, undefined, { ref: false })]);
      return '';
    });
    for (const socket of [subscriber, author]) socket.terminate();
    this.#report({
      ...measured,
      name: 'mirror',
      done: arrived,
      latency: latencies.percentiles(),
      wrong: arrived === count ? {} : { 'a note was not mirrored': count - arrived },
    });
  }

  async #importBeside(here: StartedRelay, events: number): Promise<void> {
    const honest = await this.#lines(SEEDS.honest, RATE * this.#seconds * 20);
    const client = new HonestClient(await open(here.url), honest);
    const alone = await client.run(delay(this.#seconds * 1_000));
    const file = await this.#dataset(SEEDS.imported, events);
    let beside = new Histogram();
    const measured = await this.#measured('import beside clients', [here], async () => {
      const running = this.#command('import', '--data', here.dataDirectory, file);
      beside = await client.run(running);
      return running;
    });
    client.end();
    const [before, with_] = [alone.percentiles(), beside.percentiles()];
    this.#report({
      ...measured,
      name: 'import beside clients',
      done: events,
      latency: with_,
      notes: [
        ...measured.notes,
        `p99 of an honest client ${before.p99.toFixed(1)} ms alone, ${with_.p99.toFixed(1)} ms meanwhile (${formatCount(beside.count)} requests).`,
      ],
    });
  }

  get #seconds(): number {
    const { short, overrides } = this.#options.parameters;
    return Math.ceil(overrides.seconds ?? (short ? SECONDS_SHORT : SECONDS));
  }

  async #dataset(seedOffset: number, events: number): Promise<string> {
    const { seed, until, cacheDirectory } = this.#options.parameters;
    const { signal, progress } = this.#options;
    const wanted = datasetParameters({
      profile: seedOffset === SEEDS.notes || seedOffset === SEEDS.honest ? 'notes' : 'social',
      events,
      seed: seed + seedOffset,
      until,
    });
    return cachedDataset(wanted, cacheDirectory, {
      signal,
      progress: (made) => progress.update('making events', made, events),
    });
  }

  async #lines(seedOffset: number, count: number): Promise<string[]> {
    const dataset = await Dataset.load(await this.#dataset(seedOffset, count), count);
    return Array.from({ length: dataset.count }, (_, at) => dataset.line(at));
  }

  async #start(settings: readonly string[]): Promise<StartedRelay> {
    const { source } = this.#options;
    const own = source.from === 'start' ? source.settings : [];
    const relay = await startRelay([...own, ...settings], this.#wok);
    this.#others.push(relay);
    return relay;
  }

  #sync(here: StartedRelay, ...flags: string[]): Promise<string> {
    return this.#command('sync', this.#thereUrl, '--data', here.dataDirectory, ...flags);
  }

  async #import(directory: string, file: string): Promise<void> {
    await this.#command('import', '--data', directory, file);
  }

  /** Runs a command of the wok under test; resolves with its standard error. */
  async #command(...args: string[]): Promise<string> {
    const config = this.#there.dataDirectory.replace(/data$/, 'relay.conf');
    // The bench's relays have no private kinds, and commands compare what their configuration says.
    const same = ['--config', config, '--set', 'auth.private_kinds='];
    const child = spawn(process.execPath, [this.#wok, ...args, ...same], {
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'ignore', 'pipe'],
      signal: this.#options.signal,
    });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-10_000);
    });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`wok ${args[0]} ended with status ${code}:\n${text}`);
    return text;
  }

  /** Runs work and measures its time, and the processor time and memory of the relays. */
  async #measured(
    name: string,
    others: readonly StartedRelay[],
    work: () => Promise<string>,
  ): Promise<Measured> {
    this.#options.progress.update(`sync ${name}`, 0, 1);
    const meter = new ProcessMeter([this.#there.pid, ...others.map(({ pid }) => pid)]);
    const before = meter.sample(0);
    const began = performance.now();
    const output = await work();
    const seconds = (performance.now() - began) / 1000;
    const after = meter.sample(1);
    const cpuSeconds = (after?.cpuSeconds ?? 0) - (before?.cpuSeconds ?? 0);
    const notes = [
      `The relays used ${cpuSeconds.toFixed(2)} s of processor time and have ${formatBytes(after?.rssBytes ?? 0)} of memory together.`,
    ];
    return { seconds, output, notes };
  }

  #report(of: Measured & Partial<CaseResult> & { name: string; done: number }): void {
    const { output: _, ...figures } = of;
    const wrong = of.wrong ?? {};
    this.#options.onResult({
      scenario: 'sync',
      unit: 'event',
      headline: of.name,
      ok: Object.keys(wrong).length === 0,
      interrupted: false,
      perSecond: of.done / of.seconds,
      latencyFrom: 'sending',
      latency: { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, mean: 0 },
      actions: [],
      errors: {},
      wrong,
      examples: [],
      counts: {},
      bytesIn: 0,
      bytesOut: 0,
      client: {
        threads: 0,
        cpuShare: 0,
        loopShare: 0,
        cores: 0,
        isBottleneck: false,
        isLate: false,
      },
      series: { intervalSeconds: 1, warmupSeconds: 0, perSecond: [], p50: [], p99: [], rss: [] },
      curve: [],
      ...figures,
    });
  }
}

interface Measured {
  readonly seconds: number;
  readonly output: string;
  readonly notes: readonly string[];
}

/** Client that publishes an event and reads one by its id, RATE times a second. */
class HonestClient {
  readonly #socket: WebSocket;
  readonly #lines: readonly string[];
  #at = 0;

  constructor(socket: WebSocket, lines: readonly string[]) {
    this.#socket = socket;
    this.#lines = lines;
  }

  /** Works until something else has ended; returns the times to OK and to EOSE. */
  async run(until: Promise<unknown>): Promise<Histogram> {
    const latencies = new Histogram();
    let isOver = false;
    const over = until.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const line = this.#lines[this.#at++ % this.#lines.length] ?? '';
      const { id } = JSON.parse(line) as { id: string };
      const began = performance.now();
      this.#socket.send(`["EVENT",${line}]`);
      await next(this.#socket, 'OK');
      const published = performance.now();
      await answerTo(this.#socket, ['REQ', 'h', { ids: [id] }], 'EOSE');
      const read = performance.now();
      latencies.record((published - began) * 1000);
      latencies.record((read - published) * 1000);
      await delay(1_000 / RATE);
    }
    await over;
    return latencies;
  }

  end(): void {
    this.#socket.terminate();
  }
}

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  return socket;
}

function answerTo(socket: WebSocket, message: readonly unknown[], verb: string): Promise<void> {
  socket.send(JSON.stringify(message));
  return next(socket, verb);
}

/** Resolves with the next message of a kind. */
function next(socket: WebSocket, verb: string): Promise<void> {
  return new Promise((resolve) => {
    const take = (data: WebSocket.RawData) => {
      if (!String(data).startsWith(`["${verb}"`)) return;
      socket.off('message', take);
      resolve();
    };
    socket.on('message', take);
  });
}
