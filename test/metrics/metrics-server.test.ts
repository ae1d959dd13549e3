// The addresses where the metrics are served, and the RPC methods of the admin worker for figures,
// slow queries and top connections. Relays in this process and in their own, over HTTP.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SlowQuery, TopConnection } from '../../src/metrics/ring-rows.ts';
import type { Figures } from '../../src/metrics/sample.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { Control } from '../support/control.ts';
import { http } from '../support/http.ts';
import { ownAddress, until, WokProcess } from '../support/process.ts';
import { parseExposition, sampleOf } from '../support/prometheus.ts';
import { freshDirectory, startRelay } from '../support/relay.ts';
import { useRelay } from '../support/use-relay.ts';
import { wok } from '../support/wok.ts';

describe('the address of the metrics', () => {
  it('is one of its own on loopback, and the public one knows nothing', async () => {
    const began = Date.now() / 1000;
    const relay = await WokProcess.start({ 'metrics.enabled': true, 'metrics.port': 0 });
    const said = () => /metrics server listening.* url=(http:\S+)/.exec(relay.out)?.[1];
    await until(() => said() !== undefined, 'the address of the metrics');
    const url = said()!;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    const client = await Client.connect(relay.url);
    await client.publish(new Author().event());
    const answer = await http(url);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const found = parseExposition(answer.body);
    const value = (name: string, labels = {}) => sampleOf(found, name, labels);
    expect(value('wok_connections')).toBe(1);
    expect(value('wok_events_total', { class: 'regular', outcome: 'stored' })).toBe(1);
    expect(value('wok_build_info', { node: process.version })).toBe(1);
    // The kernel counts it in hundredths since its own start.
    expect(value('process_start_time_seconds')).toBeGreaterThan(began - 2);
    expect(value('process_start_time_seconds')).toBeLessThan(Date.now() / 1000 + 2);
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(relay.rssBytes() / 2);
    expect(value('process_open_fds')).toBeGreaterThan(10);
    expect(value('process_max_fds')).toBeGreaterThan(100);
    expect(value('wok_database_bytes')).toBeGreaterThanOrEqual(4096);
    expect(value('wok_wal_bytes')).toBeGreaterThan(0);
    expect(value('wok_disk_free_bytes')).toBeGreaterThan(0);
    expect(value('wok_connections_max')).toBe(10_000);
    for (const station of ['io', 'ingester', 'writer', 'query', 'monitor', 'admin']) {
      expect(value('wok_thread_heap_bytes', { station, worker: '0' })).toBeGreaterThanOrEqual(0);
    }
    await until(async () => {
      const now = parseExposition((await http(url)).body);
      return sampleOf(now, 'wok_event_loop_busy_seconds_total', { station: 'io' }) > 0;
    }, 'the first look at the threads');
    await until(async () => {
      const now = parseExposition((await http(url)).body);
      // Equal to the last digit: alert rules take a change for a restart.
      expect(sampleOf(now, 'process_start_time_seconds')).toBe(value('process_start_time_seconds'));
      return sampleOf(now, 'process_cpu_seconds_total') > value('process_cpu_seconds_total');
    }, 'another look at the process');
    expect((await http(url, {}, 'HEAD')).body).toBe('');
    expect((await http(url, {}, 'POST')).status).toBe(405);
    expect((await http(url.replace('/metrics', '/'))).status).toBe(404);
    expect((await http(`${relay.httpUrl}/metrics`)).status).toBe(404);
  });

  it('may be in use: the relay logs it, runs, and listens when it is free', async () => {
    const host = ownAddress();
    const other = createServer().listen(0, host);
    await new Promise((resolve) => other.once('listening', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const relay = await startRelay({
      'metrics.enabled': true,
      'metrics.host': host,
      'metrics.port': port,
    });
    onTestFinished(() => relay.stop());
    await until(() => relay.logged.length > 0, 'the warning');
    expect(relay.logged.join()).toMatch(/the metrics server cannot listen yet.*EADDRINUSE/);
    expect((await http(`${relay.httpUrl}/health`)).status).toBe(200);
    other.close();
    const metrics = () => http(`http://${host}:${port}/metrics`).catch(() => null);
    await until(async () => (await metrics())?.status === 200, 'the metrics');
    expect(relay.logged).toHaveLength(1);
  });

  it('may be the public one as well', async () => {
    const relay = await startRelay({ 'metrics.public': true });
    onTestFinished(() => relay.stop());
    const answer = await http(`${relay.httpUrl}/metrics`);
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(sampleOf(parseExposition(answer.body), 'wok_connections')).toBe(0);
  });
});

describe('RPC methods about metrics', () => {
  const directory = freshDirectory();
  const use = useRelay({ 'storage.directory': directory, 'metrics.slow_query_milliseconds': 1 });
  const control = async () => {
    const found = await Control.connect(directory);
    onTestFinished(() => void found.socket.destroy());
    return found;
  };

  it('tell figures by name', async () => {
    const names = ['wok_connections', 'wok_queries_waiting'];
    const figures = await (await control()).ask<Figures>('metrics', { names });
    expect(figures.wok_connections).toEqual([{ labels: {}, values: [1] }]);
    expect(figures.wok_queries_waiting![0]!.labels).toEqual({ station: 'query', worker: '0' });
    const wrong = await (await control()).answer('metrics', { names: ['wok_nothing'] });
    expect(wrong.error?.code).toBe('usage');
  });

  it('tell everything at once, as wok metrics prints it', async () => {
    const text = await (await control()).ask<string>('exposition');
    const printed = await wok(['metrics', '--data', directory]);
    expect(printed.code).toBe(0);
    const names = (one: string) => [...parseExposition(one).keys()];
    expect(names(printed.out)).toEqual(names(text));
    expect(names(text)).toContain('wok_connections');
    expect((await wok(['metrics', '--table'])).out).toContain('| `wok_connections` | gauge |');
  });

  it('tell slow queries', async () => {
    const author = new Author();
    for (let i = 0; i < 300; i++) use.client.send(['EVENT', author.event()]);
    for (let i = 0; i < 300; i++) await use.client.next(([verb]) => verb === 'OK');
    const ask = await control();
    await until(async () => {
      use.client.send([
        'COUNT',
        'c',
        { kinds: [1], '#t': ['secret'] },
        { authors: [author.pubkey] },
      ]);
      await use.client.next(([verb]) => verb === 'COUNT');
      return (await ask.ask<SlowQuery[]>('slow')).length > 0;
    }, 'a query that takes a millisecond');
    const [slow] = await ask.ask<SlowQuery[]>('slow', { limit: 1 });
    expect(slow).toMatchObject({ type: 'COUNT', filters: 'kinds 1 #t×1 | authors×1' });
    expect(slow!.work).toBeGreaterThanOrEqual(1);
    expect(JSON.stringify(slow)).not.toMatch(new RegExp(`secret|${author.pubkey}`));
  });

  it('tell the top connections', async () => {
    const ask = await control();
    let most: TopConnection | undefined;
    await until(async () => {
      use.client.send(['COUNT', 'c', { kinds: [1] }]);
      [most] = await ask.ask<TopConnection[]>('connections');
      return most !== undefined && most.messages > 0;
    }, 'the talker');
    expect(most!.ip).toBe('127.0.0.1');
    expect(most!.bytesIn).toBeGreaterThan(most!.messages * 10);
  });
});
