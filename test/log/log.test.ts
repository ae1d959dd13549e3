// The log: levels by station, suppression of floods, addresses of clients, journald. LogGate,
// levelOf and ipFacts as units, then relays in their own processes.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Config } from '../../src/config/options.ts';
import { ipFacts } from '../../src/log/client-ip.ts';
import { LineLimiter, levelOf } from '../../src/log/line-limiter.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory, type Settings, testConfig } from '../support/relay.ts';

const config = (settings: Settings = {}): Config['log'] =>
  testConfig(freshDirectory(), settings).log;

describe('the level of a station', () => {
  it('is its own, or that of all', () => {
    const log = config({ 'log.level': 'warn', 'log.levels': '["query=debug", "io=silent"]' });
    expect(['io', 'ingester', 'query'].map((station) => levelOf(log, station))).toEqual([
      'silent',
      'warn',
      'debug',
    ]);
  });

  it.each(['query', 'query=loud', 'nobody=info', 'query = info'])('cannot be "%s"', (level) => {
    expect(() => config({ 'log.levels': JSON.stringify([level]) })).toThrow(
      /a station and a level/,
    );
  });
});

describe('the log limiter', () => {
  let lines: string[] = [];
  let counted: string[] = [];
  const limiter = (settings: Settings = {}) =>
    new LineLimiter(
      'query',
      config(settings),
      (level, text, facts) => lines.push(`${level} ${text} ${JSON.stringify(facts ?? {})}`),
      (level, omitted) => counted.push(`${level} ${omitted}`),
    );

  beforeEach(() => {
    lines = [];
    counted = [];
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('leaves out what is below the level, and does not count it', () => {
    const log = limiter({ 'log.levels': '["query=warn"]' });
    log.info('a');
    log.warn('b', { n: 1 });
    expect(lines).toEqual(['warn b {"n":1}']);
    expect(counted).toEqual(['warn false']);
    log.reconfigure(config());
    log.info('c');
    expect(lines).toHaveLength(2);
  });

  it('leaves out lines that come too often, and counts them at the end of the minute', () => {
    const log = limiter({ 'log.lines_per_minute_max': 3 });
    for (let n = 0; n < 10; n++) log.warn('flood', { n });
    log.warn('something else');
    expect(lines).toHaveLength(4);
    expect(counted.filter((one) => one === 'warn true')).toHaveLength(7);
    vi.advanceTimersByTime(60_000);
    expect(lines.at(-1)).toBe('warn flood (more lines like this were left out) {"omitted":7}');
    log.warn('flood');
    expect(lines).toHaveLength(6);
  });

  it('counts minutes from the first line, and passes rare lines for ever', () => {
    const log = limiter({ 'log.lines_per_minute_max': 2 });
    for (let n = 0; n < 20; n++) {
      log.info('now and then');
      vi.advanceTimersByTime(40_000);
    }
    expect(lines).toHaveLength(20);
  });

  it('remembers a bounded number of texts', () => {
    const log = limiter({ 'log.lines_per_minute_max': 1 });
    for (let n = 0; n < 1_000; n++) log.info(`text ${n}`);
    expect(lines).toHaveLength(257);
    log.flush();
    expect(lines.at(-1)).toMatch(/"omitted":743/);
  });

  it('passes everything without a limit', () => {
    const log = limiter({ 'log.lines_per_minute_max': 0 });
    for (let n = 0; n < 1_000; n++) log.info('flood');
    expect(lines).toHaveLength(1_000);
  });
});

describe('addresses of clients', () => {
  it('are nothing, a hash, or the address', () => {
    const ip = '192.0.2.77';
    expect(ipFacts(config(), ip)).toEqual({});
    expect(ipFacts(config({ 'log.ip': 'on' }), ip)).toEqual({ ip });
    const hashed = ipFacts(config({ 'log.ip': 'hashed' }), ip);
    expect(hashed.ip).toMatch(/^[0-9a-f]{12}$/);
    expect(ipFacts(config({ 'log.ip': 'hashed' }), ip)).toEqual(hashed);
    expect(ipFacts(config({ 'log.ip': 'hashed' }), '192.0.2.78')).not.toEqual(hashed);
  });
});

describe('the log of a process', () => {
  const visit = async (wok: WokProcess) => {
    const client = await Client.connect(wok.url);
    await client.publish(new Author().event({ content: 'a very private thing' }));
    client.socket.close();
  };

  it('has no line about a connection, and nothing private, by default', async () => {
    const wok = await WokProcess.start();
    await visit(wok);
    wok.signal('SIGTERM');
    await wok.exited;
    expect(wok.out).toContain('exiting');
    expect(wok.out).not.toMatch(/a connection|private/);
  });

  it('has one line a connection at debug, with the address if that is wanted', async () => {
    const wok = await WokProcess.start({
      'log.levels': '["io=debug"]',
      'log.ip': 'on',
      'log.format': 'json',
    });
    await visit(wok);
    await until(() => wok.out.includes('connection closed'), 'the line');
    const line = wok.out.split('\n').find((one) => one.includes('connection closed'))!;
    const { ip, reason, messages, bytesIn, bytesOut, level } = JSON.parse(line) as Record<
      string,
      unknown
    >;
    expect({ ip, reason, messages, level }).toEqual({
      ip: '127.0.0.1',
      reason: 'client',
      messages: 1,
      level: 20,
    });
    expect(bytesIn).toBeGreaterThan(300);
    expect(bytesOut).toBeGreaterThan(60);
    expect(line).not.toContain('private');
  });

  it('tells of slow queries without what they asked for', async () => {
    const wok = await WokProcess.start({ 'metrics.slow_query_milliseconds': 1 });
    const client = await Client.connect(wok.url);
    const author = new Author();
    for (let n = 0; n < 100; n++) await client.publish(author.event());
    const filters = Array.from({ length: 50 }, () => ({ authors: [author.pubkey], kinds: [1] }));
    await until(async () => {
      client.send(['COUNT', 'c', ...filters]);
      await client.next(([verb]) => verb === 'COUNT');
      return wok.out.includes('slow query');
    }, 'the line');
    expect(wok.out).toMatch(/slow query .*filters=authors×1 kinds 1 \|/);
    expect(wok.out).not.toContain(author.pubkey);
  });

  it('has priorities for journald in front of every line, whatever is in it', async () => {
    const wok = await WokProcess.start({ 'log.format': 'journal' });
    wok.signal('SIGTERM');
    await wok.exited;
    const lines = wok.out.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(line).toMatch(/^<[3467]>\S/);
  });
});
