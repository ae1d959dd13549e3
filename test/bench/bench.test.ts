// `wok bench`: histograms, datasets, the WebSocket client and the statistics as units; the command
// against fake relays with a fault each, which it has to find, and against a fresh wok.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { schnorr } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import {
  CONTINUATION,
  FrameReader,
  FrameWriter,
  MESSAGE_BYTES_MAX,
  TEXT,
} from '../../bench/client/frames.ts';
import { EVENT, idKey, MessageReader, OK } from '../../bench/client/messages.ts';
import { isLoopback } from '../../bench/client/target.ts';
import { type Comparison, comparisonsOf } from '../../bench/compare/compare.ts';
import { Dataset } from '../../bench/dataset/dataset.ts';
import { EventMaker } from '../../bench/dataset/event-maker.ts';
import { generate } from '../../bench/dataset/generate.ts';
import { datasetParameters } from '../../bench/dataset/parameters.ts';
import {
  loadLibsecp256k1,
  loadNoble,
  loadNpmSecp256k1,
  loadSigner,
} from '../../bench/dataset/signer.ts';
import { Histogram } from '../../bench/figures/histogram.ts';
import { medianInterval } from '../../bench/figures/statistics.ts';
import type { CaseResult, RunReport } from '../../bench/report/result.ts';
import { Oracle } from '../../bench/run/oracle.ts';
import { scenarios } from '../../bench/scenarios/list.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { packageRoot } from '../../src/paths.ts';
import { type Fault, startFakeRelay } from '../support/fake-relay.ts';
import { addressText, matches, type RawFilter } from '../support/oracle.ts';
import { delay, until } from '../support/process.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory } from '../support/relay.ts';

const wokFile = join(packageRoot, 'dist/src/wok.js');
/** Datasets are made once for all tests of this file. */
const cache = freshDirectory();
const random = new Random(testSeed('bench/bench'));

function startBench(args: readonly string[]) {
  return spawn(process.execPath, [wokFile, 'bench', ...args], {
    cwd: cache,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs `wok bench` to its end. */
async function bench(args: readonly string[]) {
  const child = startBench(args);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { out, err, code };
}

describe('histogram', () => {
  const values = Array.from({ length: 20_000 }, () => Math.floor(Math.exp(random.next() * 20)));
  const sorted = [...values].sort((a, b) => a - b);
  const exact = (share: number) => sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)]!;

  it('knows every quantile to one percent, and the ends exactly', () => {
    const histogram = new Histogram();
    for (const value of values) histogram.record(value);
    for (const share of [0, 0.01, 0.5, 0.9, 0.99, 0.999]) {
      expect(Math.abs(histogram.quantile(share) / exact(share) - 1), String(share)).toBeLessThan(
        0.01,
      );
    }
    expect(histogram.quantile(1)).toBe(sorted.at(-1));
    expect(histogram.max).toBe(sorted.at(-1));
    expect(histogram.mean).toBeCloseTo(values.reduce((a, b) => a + b) / values.length, 3);
  });

  it('is the same whether recorded at once or added up from parts', () => {
    const whole = new Histogram();
    const parts = [new Histogram(), new Histogram(), new Histogram()];
    for (const value of values) {
      whole.record(value);
      random.pick(parts).record(value);
    }
    const sum = new Histogram();
    for (const part of parts) sum.add(structuredClone(part.data()));
    expect(sum.data()).toEqual(whole.data());
  });

  it('takes what is below zero and what is beyond its end', () => {
    const histogram = new Histogram();
    histogram.record(-3);
    histogram.record(2 ** 40);
    expect([histogram.count, histogram.quantile(0), histogram.max]).toEqual([2, 0, 2 ** 31 - 1]);
    expect(new Histogram().percentiles().p99).toBe(0);
  });
});

const datasets = freshDirectory();

/** Generates a small dataset; returns its file and the contents. */
async function load(seed: number, threads: number, name: string) {
  const file = join(datasets, name);
  await generate(datasetParameters({ events: 1200, seed }), file, { threads });
  return { file, bytes: readFileSync(file) };
}

describe('dataset', () => {
  it('has the same bytes for the same seed, whatever the threads, and others for another', async () => {
    const one = await load(5, 1, 'one');
    const two = await load(5, 2, 'two');
    const other = await load(6, 2, 'other');
    expect(two.bytes.equals(one.bytes)).toBe(true);
    expect(other.bytes.equals(one.bytes)).toBe(false);
  });

  it('has the bytes that GENERATOR_VERSION stands for: raise it when this changes', async () => {
    const maker = new EventMaker(datasetParameters({ events: 1200, seed: 5 }), await loadSigner());
    const lines = Array.from({ length: 200 }, (_, index) => maker.line(index)).join('\n');
    expect(createHash('sha256').update(lines).digest('hex')).toBe(
      'a09e1a0cd65cebb1c063bbedf5180f57270559101d656d6c00e95777ecd737a3',
    );
  });

  it('has valid events of which none replaces another', async () => {
    const dataset = await Dataset.load((await load(5, 2, 'three')).file);
    const addresses = new Set<string>();
    const kinds = new Map<number, number>();
    for (let line = 0; line < dataset.count; line++) {
      const event = dataset.event(line);
      const { id, pubkey, created_at, kind, tags, content, sig } = event;
      const serialised = JSON.stringify([0, pubkey, created_at, kind, tags, content]);
      expect(createHash('sha256').update(serialised).digest('hex')).toBe(id);
      if (line % 40 === 0) {
        const [s, m, p] = [sig, id, pubkey].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));
        expect(schnorr.verify(s!, m!, p!)).toBe(true);
      }
      const address = addressText(event);
      if (address !== null) {
        expect(addresses.has(address), address).toBe(false);
        addresses.add(address);
      }
      expect([dataset.kind(line), dataset.createdAt(line)]).toEqual([kind, created_at]);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    for (const kind of [0, 1, 3, 6, 7, 1059, 1111, 9735, 10_002, 30_023, 30_078]) {
      expect(kinds.get(kind), `kind ${kind}`).toBeGreaterThan(0);
    }
    expect(dataset.averageBytes).toBeGreaterThan(800);
    expect(dataset.averageBytes).toBeLessThan(1400);
  });

  it('refers to events that are in it', async () => {
    const dataset = await Dataset.load((await load(5, 2, 'four')).file);
    const events = Array.from({ length: dataset.count }, (_, line) => dataset.event(line));
    const ids = new Set(events.map(({ id }) => id));
    const references = events.flatMap(({ tags }) => tags.filter(([name]) => name === 'e'));
    expect(references.length).toBeGreaterThan(300);
    expect(references.filter(([, id]) => !ids.has(id!))).toEqual([]);
  });
});

describe('dataset: signers and oracle', () => {
  it('is signed alike by all signers', async () => {
    const secret = Buffer.from(`1${random.hex(63)}`, 'hex');
    const message = random.hex(64);
    const noble = (await loadNoble()).key(secret);
    for (const load of [loadLibsecp256k1, loadNpmSecp256k1]) {
      let signer: ReturnType<typeof load>;
      try {
        signer = load();
      } catch {
        continue;
      }
      const key = signer.key(secret);
      expect([key.pubkey, key.sign(message)], signer.name).toEqual([
        noble.pubkey,
        noble.sign(message),
      ]);
    }
    await expect(loadSigner()).resolves.toBeDefined();
  });

  it('is counted by the oracle as by the naive one', async () => {
    const dataset = await Dataset.load((await load(5, 2, 'five')).file);
    const events = Array.from({ length: dataset.count }, (_, line) => dataset.event(line));
    const filters = Array.from({ length: 150 }, (): RawFilter => {
      const filter: RawFilter = {};
      const aim = random.pick(events);
      if (random.chance(0.4)) filter.kinds = [aim.kind, random.pick(events).kind];
      if (random.chance(0.4)) filter.authors = [aim.pubkey, random.pick(events).pubkey];
      if (random.chance(0.1)) filter.ids = [aim.id];
      if (random.chance(0.3)) filter.until = aim.created_at;
      if (random.chance(0.2)) filter.since = aim.created_at - 600;
      const tag = random.pick([['e', ''], ...aim.tags]);
      if (tag[0]!.length === 1 && random.chance(0.5)) filter[`#${tag[0]}`] = [tag[1]!];
      return filter;
    });
    const terms = filters.flatMap((filter) =>
      Object.entries(filter)
        .filter(([key]) => key.startsWith('#'))
        .map(([key, values]) => `${key} ${(values as string[])[0]}`),
    );
    const oracle = new Oracle(dataset, terms);
    for (const filter of filters) {
      const naive = events.filter((event) => matches(filter, event)).length;
      expect(oracle.count(filter, Number.POSITIVE_INFINITY), JSON.stringify(filter)).toBe(naive);
    }
  });
});

describe('client', () => {
  it('reads messages whole, in whatever pieces they come, and masks what it sends', () => {
    const messages = Array.from({ length: 60 }, () =>
      random.hex(random.pick([0, 5, 125, 126, 300, 65_535, 65_536, 70_000])),
    );
    const writer = new FrameWriter();
    for (const message of messages) writer.text(message);
    const masked = writer.take();
    expect(masked.includes(messages.find(({ length }) => length === 300) ?? 'none')).toBe(false);
    const unmasked = unmask(masked);
    const seen: string[] = [];
    const reader = new FrameReader({
      text: (bytes, start, end) => seen.push(bytes.toString('utf8', start, end)),
      control: () => {},
      fault: (what) => {
        throw new Error(what);
      },
    });
    for (let at = 0; at < unmasked.length; ) {
      const length = Math.min(1 + random.below(40_000), unmasked.length - at);
      // In memory that is used again, like that of a socket.
      const piece = Buffer.concat([unmasked.subarray(at, at + length), Buffer.alloc(50, 1)]);
      reader.push(piece, length);
      piece.fill(0x7a);
      at += length;
    }
    expect(seen).toEqual(messages);
  });

  it('puts fragments together, and takes no more of them than of one message', () => {
    const seen: string[] = [];
    const faults: string[] = [];
    const reader = new FrameReader({
      text: (bytes, start, end) => seen.push(bytes.toString('utf8', start, end)),
      control: () => {},
      fault: (what) => faults.push(what),
    });
    const push = (first: number, payload: Buffer) => {
      const header = Buffer.alloc(10);
      header[0] = first;
      header[1] = 127;
      header.writeUInt32BE(payload.length, 6);
      const frame = Buffer.concat([header, payload]);
      reader.push(frame, frame.length);
    };
    push(TEXT, Buffer.from('one '));
    push(CONTINUATION, Buffer.from('two '));
    push(0x80 | CONTINUATION, Buffer.from('three'));
    expect([seen, faults]).toEqual([['one two three'], []]);
    const quarter = Buffer.alloc(MESSAGE_BYTES_MAX / 4);
    push(TEXT, quarter);
    for (let n = 0; n < 2; n++) push(CONTINUATION, quarter);
    expect(faults).toEqual([]);
    push(CONTINUATION, quarter);
    expect(faults).toEqual([expect.stringContaining('a message in fragments of more than')]);
    expect(seen).toHaveLength(1);
  });
});

describe('client: messages and hosts', () => {
  it('understands messages without parsing them, with and without white space', () => {
    const id = random.hex(64);
    const event = { content: '{"id":"no"}', created_at: 17, id, tags: [['id', 'no']] };
    for (const json of [
      `["EVENT","s42",${JSON.stringify(event)}]`,
      `[ "EVENT" , "s42" , ${JSON.stringify(event).replaceAll(',"id":', ', "id" : ')}]`,
    ]) {
      const bytes = Buffer.from(`xx${json}`);
      const reader = new MessageReader();
      expect(reader.read(bytes, 2, bytes.length)).toBe(EVENT);
      expect(reader.number(bytes)).toBe(42);
      const at = reader.eventId(bytes, bytes.length);
      expect(bytes.toString('latin1', at, at + 64)).toBe(id);
      expect(idKey(bytes, at)).toBe(Number.parseInt(id.slice(0, 12), 16));
    }
    for (const accepted of [true, false]) {
      const bytes = Buffer.from(`["OK", "${id}", ${accepted}, ""]`);
      const reader = new MessageReader();
      expect(reader.read(bytes, 0, bytes.length)).toBe(OK);
      expect(reader.accepted(bytes)).toBe(accepted);
    }
  });

  it('knows which hosts are this machine', () => {
    const own = ['127.0.0.1', '127.9.9.9', 'localhost', 'relay.localhost', '::1'];
    const others = ['0.0.0.0', '10.0.0.1', '128.0.0.1', 'localhost.example', '1270.0.0.1', '::2'];
    expect(own.filter(isLoopback)).toEqual(own);
    expect(others.filter(isLoopback)).toEqual([]);
  });
});

/** Removes the mask from every frame, as a server does. */
function unmask(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x80 | TEXT);
    const short = bytes[at + 1]! & 0x7f;
    expect(bytes[at + 1]! & 0x80).toBe(0x80);
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length =
      head === 2
        ? short
        : head === 4
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    const key = bytes.subarray(at + head, at + head + 4);
    const payload = Buffer.from(bytes.subarray(at + head + 4, at + head + 4 + length));
    for (let i = 0; i < length; i++) payload[i]! ^= key[i % 4]!;
    const header = Buffer.from(bytes.subarray(at, at + head));
    header[1]! &= 0x7f;
    parts.push(header, payload);
    at += head + 4 + length;
  }
  return Buffer.concat(parts);
}

describe('a wrong command line', () => {
  it.each([
    [['rnu'], 'There is no wok bench rnu. Did you mean wok bench run?'],
    [['run', 'ingset', '--start'], 'There is no scenario "ingset". Did you mean ingest?'],
    [['run', 'ingest/frehs', '--start'], 'There is no case of ingest "frehs". Did you mean fresh?'],
    [['run', 'ingest', '--strat'], 'There is no flag --strat. Did you mean --start?'],
    [['run', 'ingest'], 'Name the relay: --url ws://… or --start.'],
    [
      ['run', 'ingest', '--start', '--url', 'ws://127.0.0.1'],
      '--url has no effect beside --start. Leave one of them out.',
    ],
    [['run', 'ingest', '--url', 'http://127.0.0.1'], 'does not start with ws:// or wss://'],
    [
      ['run', 'ingest', '--start', '--events', 'many'],
      '--events must be a whole number from 100 to',
    ],
    [
      ['run', 'ingest', '--start', '--out', 'x'],
      '--out is for wok bench generate, not for wok bench run.',
    ],
    [['run', 'ingest', '--url', 'ws://127.0.0.1', '--pid', '999999999'], 'There is no process'],
    [['generate', '--profile', 'nots'], 'There is no profile "nots". Did you mean notes?'],
    [['compare', 'no-such-commit', 'HEAD'], '"no-such-commit" is not an address'],
  ])('wok bench %j', async (args, sentence) => {
    const { out, err, code } = await bench(args);
    expect(err).toContain(sentence);
    expect({ out, code }).toEqual({ out: '', code: exitCodes.usage });
  });

  it.each([
    [['run', 'all', '--url', 'ws://relay.example']],
    [['probe', 'wss://relay.example']],
    [['compare', 'ws://127.0.0.1:1', 'ws://192.0.2.7:7777']],
  ])('loads no host but this one unless told that it may: %j', async (args) => {
    const { err, code } = await bench(args);
    expect(err).toMatch(/is not this machine\. .* --i-may-load-this-host/);
    expect(code).toBe(exitCodes.usage);
  });
});

describe('a relay that is wrong', () => {
  const small = ['--events', '600', '--short', '--cache', cache, '--threads', '1'];
  const cases: [Fault, scenario: string, wrong: string][] = [
    ['takes forged events', 'ingest/invalid', 'an invalid signature was accepted'],
    ['refuses every tenth event', 'ingest/fresh', 'a valid event was refused'],
    ['leaves an OK out', 'ingest/fresh', 'no OK'],
    ['forgets an event', 'ingest/fresh', 'an accepted event cannot be read back'],
    ['leaves an event of an answer out', 'req/author', 'a wrong number of events'],
    ['answers with an event that does not match', 'req/newest-100', 'does not match the filter'],
    ['answers with a changed event', 'req/id', 'is not what its id says'],
    ['never ends an answer', 'req/id', 'no answer'],
    ['counts one too many', 'count/author', 'a wrong count'],
    ['loses a delivery', 'fan-out/mixed', 'a delivery is missing'],
    ['delivers twice', 'fan-out/mixed', 'a duplicate delivery'],
    ['delivers what nobody asked for', 'fan-out/mixed', 'does not match its filter'],
  ];

  it.each(cases)('%s', async (fault, scenario, wrong) => {
    const relay = await startFakeRelay(fault);
    try {
      const { err, code } = await bench(['run', scenario, '--url', relay.url, ...small]);
      expect(err).toMatch(/WRONG: /);
      expect(err).toContain(wrong);
      expect(code).toBe(exitCodes.crash);
    } finally {
      await relay.stop();
    }
  });

  it('is told from one that only refuses', async () => {
    const relay = await startFakeRelay('limits every tenth event');
    try {
      const args = ['run', 'ingest/fresh', '--url', relay.url, '--json', '-', ...small];
      const { out, code } = await bench(args);
      const { results } = JSON.parse(out) as RunReport;
      expect(results[0]).toMatchObject({
        ok: true,
        wrong: {},
        errors: { 'OK false rate-limited': 60 },
      });
      expect(code).toBe(exitCodes.ok);
    } finally {
      await relay.stop();
    }
  });

  it('is told from one that is right, however it writes its JSON', async () => {
    const relay = await startFakeRelay('none');
    try {
      const wanted =
        'ingest/fresh,ingest/mixed,req/thread,req/deep-paging,count/hashtag,fan-out/mixed';
      const { err, code } = await bench(['run', wanted, '--url', relay.url, ...small]);
      expect(err).not.toContain('WRONG');
      expect(code, err).toBe(exitCodes.ok);
      // The same events once more are not fresh.
      const again = await bench(['run', 'ingest/fresh', '--url', relay.url, ...small]);
      expect(again.err).toContain('take another --seed or an empty relay');
      expect(again.code).toBe(exitCodes.crash);
    } finally {
      await relay.stop();
    }
  });
});

describe('every scenario against a fresh wok', () => {
  const jsonFile = join(cache, 'report.json');
  const htmlFile = join(cache, 'report.html');

  it('runs through, is right, and reports', async () => {
    const reports = ['--json', jsonFile, '--html', htmlFile];
    const { out, err, code } = await bench([
      'run',
      'all',
      '--start',
      '--short',
      '--cache',
      cache,
      ...reports,
    ]);
    expect(code, err + out).toBe(exitCodes.ok);
    const report = JSON.parse(readFileSync(jsonFile, 'utf8')) as RunReport;
    expect(report).toMatchObject({ format: 'wok-bench-1', ok: true, interrupted: false });
    expect(report.target).toMatchObject({ name: 'wok relay' });
    const names = report.results.map(({ scenario, name }) => `${scenario}/${name}`);
    const wanted = scenarios.flatMap(({ name, cases }) =>
      cases.map((one) => `${name}/${one.name}`),
    );
    expect(names).toEqual(expect.arrayContaining(wanted));
    expect(names).toContain('import/by command');
    for (const name of ['fetch', 'differences', 'mirror', 'import beside clients'])
      expect(names).toContain(`sync/${name}`);
    for (const result of report.results) checkResult(result);
    for (const name of names) expect(out).toContain(name.replace('/', ' '));

    const html = readFileSync(htmlFile, 'utf8');
    // The only addresses are those that were measured, as text; the report fetches nothing.
    expect(html).not.toMatch(/(src|href|url)\s*[=(]|@import|<script|<link|<iframe/i);
    expect(html).toContain('prefers-color-scheme: dark');
    expect(html.match(/<svg/g)!.length).toBeGreaterThan(scenarios.length);
    expect(html).toContain('feed');
  });

  function checkResult(result: CaseResult): void {
    const { scenario, name, done, seconds, perSecond, latency, series, errors } = result;
    const label = `${scenario}/${name}`;
    expect(done, label).toBeGreaterThan(0);
    expect(errors, label).toEqual({});
    expect(perSecond, label).toBeCloseTo(done / seconds, 3);
    // A command is timed as a whole.
    if (name === 'by command' || scenario === 'sync') return;
    const { p50, p90, p99, p999, max } = latency;
    expect([p50, p90, p99, p999, max], label).toEqual(
      [p50, p90, p99, p999, max].sort((a, b) => a - b),
    );
    expect(p50, label).toBeGreaterThan(0);
    expect(series.perSecond.length, label).toBe(series.p99.length);
    if (process.platform === 'linux' && scenario !== 'connect') {
      // The system counts CPU time in steps of 10 ms, so a short case may have none.
      expect(result.relay?.cpuMicrosecondsPerUnit, label).toBeGreaterThanOrEqual(0);
      expect(result.relay?.rssPeakBytes, label).toBeGreaterThan(10e6);
    }
  }
});

/**
 * Runs a bench that would take a minute, and interrupts it so long after its first case has
 * begun.
 */
async function interrupted(milliseconds: number) {
  const json = join(cache, 'interrupted.json');
  const child = startBench([
    ...['run', 'delivery,req', '--start', '--short', '--events', '600', '--seconds', '60'],
    ...['--cache', cache, '--json', json],
  ]);
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const out = text(child.stdout);
  const ended = once(child, 'close');
  await until(() => err.includes('delivery one: started'), 'the first case');
  await delay(milliseconds);
  child.kill('SIGINT');
  expect(await ended, err).toEqual([130, null]);
  return { out: await out, report: JSON.parse(readFileSync(json, 'utf8')) as RunReport };
}

describe('wok bench', () => {
  it('ends cleanly on Ctrl-C with what was measured', async () => {
    // Twenty deliveries a second; the warm-up takes two tenths of a second. A busy machine may have
    // begun with none.
    let wait = 1_500;
    let run = await interrupted(wait);
    while (run.report.results[0]!.done === 0 && wait < 20_000) {
      wait *= 3;
      run = await interrupted(wait);
    }
    const { out, report } = run;
    expect(report.interrupted).toBe(true);
    expect(report.results[0]).toMatchObject({ scenario: 'delivery', interrupted: true, wrong: {} });
    expect(report.results[0]!.done).toBeGreaterThan(0);
    expect(out).toContain('delivery one');
  });

  it('probes a relay on one screen', async () => {
    const relay = await startFakeRelay('none');
    try {
      const { out, code } = await bench(['probe', relay.url]);
      const lines = out.trimEnd().split('\n');
      expect(lines.length).toBeLessThan(26);
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(110);
      expect(out).toMatch(/ 1 events, filters, live +\? +✓/);
      expect(out).toMatch(/ 9 deletion +\? +✓/);
      expect(out).toMatch(/77 negentropy +\? +–/);
      expect(code).toBe(exitCodes.ok);
    } finally {
      await relay.stop();
    }
    const gone = await bench(['probe', relay.url]);
    expect(gone.out).toContain('It does not respond as a relay.');
    expect(gone.code).toBe(exitCodes.crash);
  });

  it('compares two relays in turns', async () => {
    const relays = [await startFakeRelay('none'), await startFakeRelay('none')];
    try {
      const [a, b] = relays.map(({ url }) => url);
      const { out, err, code } = await bench([
        ...['compare', a!, b!, '--scenario', 'ingest/fresh,req/id', '--rounds', '2', '--short'],
        ...['--events', '400', '--cache', cache, '--html', join(cache, 'compare.html')],
      ]);
      expect(code, err).toBe(exitCodes.ok);
      expect(out).toMatch(/ingest fresh +rate +[\d,]+\/s +[\d,]+\/s +\d\.\d\d×/);
      expect(err.match(/round \d of 2/g)).toEqual(
        ['1', '1', '2', '2'].map((n) => `round ${n} of 2`),
      );
      expect(readFileSync(join(cache, 'compare.html'), 'utf8')).toContain('<svg');
    } finally {
      for (const relay of relays) await relay.stop();
    }
  });

  it('makes the same file twice', async () => {
    const files = ['a.jsonl', 'b.jsonl'].map((name) => join(cache, name));
    for (const file of files) {
      const { code } = await bench(['generate', '--events', '700', '--seed', '9', '--out', file]);
      expect(code).toBe(exitCodes.ok);
    }
    const [a, b] = files.map((file) => readFileSync(file));
    expect(a!.equals(b!)).toBe(true);
    expect(a!.toString().trimEnd().split('\n')).toHaveLength(700);
  });
});

describe('comparison', () => {
  const result = (perSecond: number): CaseResult =>
    ({ scenario: 's', name: 'c', perSecond, latency: { p50: 1, p99: 2 } }) as CaseResult;
  const rate = (a: number[], b: number[]): Comparison =>
    comparisonsOf(a.map(result), b.map(result)).find(({ metric }) => metric === 'rate')!;

  it('calls a side better only when the rounds agree', () => {
    expect(rate([10, 11, 10, 9, 10], [20, 21, 22, 19, 20])).toMatchObject({
      better: 'B',
      median: 2,
    });
    expect(rate([20, 21, 22, 19, 20], [10, 11, 10, 9, 10]).better).toBe('A');
    expect(rate([10, 20, 10, 20, 10], [20, 10, 20, 10, 11]).better).toBe('neither');
    expect(rate([10, 10], [30, 30]).better).toBe('neither');
  });

  it('has an interval that holds the median and lies within the ends', () => {
    const values = Array.from({ length: 9 }, () => 1 + random.next());
    const [low, high] = medianInterval(values);
    const sorted = [...values].sort((a, b) => a - b);
    expect(low).toBeGreaterThanOrEqual(sorted[0]!);
    expect(high).toBeLessThanOrEqual(sorted[8]!);
    expect(low).toBeLessThanOrEqual(sorted[4]!);
    expect(high).toBeGreaterThanOrEqual(sorted[4]!);
  });
});
