// Plugins that misbehave (crash, stall, flood, answer nonsense): the harm stays with the events
// that they are asked about. In-process relay over real sockets, plugins as child processes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { inTime } from '../support/pace.ts';
import { plugins, script } from '../support/plugins.ts';
import { isRunning, until } from '../support/process.ts';
import { freshDirectory, type Settings, startRelay } from '../support/relay.ts';

const CLOSED = 'error: a policy plugin of this relay does not respond; try again later';
const BUSY = 'rate-limited: a policy plugin of this relay is overloaded; try again';

/** Timeout of a plugin that a test gives up: more than a start and an answer take. */
const SHORT = 'timeout=3s';
/** Timeout of a plugin that is not given up: longer than any test waits for an answer. */
const LONG = 'timeout=600s';

/**
 * Starts a relay with a plugin that makes this trouble for events of kind 1 that ask for it.
 * Returns it with a client, and with a check that other clients are served.
 */
async function trouble(kind: string, entry = LONG, settings: Settings = {}) {
  const log = join(freshDirectory(), 'pids');
  const relay = await startRelay({
    ...plugins(`kinds=1 ${entry} -- exec ${script('wrong.mjs')} ${kind} ${log}`),
    'ingester.workers': 1,
    ...settings,
  });
  const client = await Client.connect(relay.url);
  const other = await Client.connect(relay.url);
  onTestFinished(async () => {
    await client.close();
    await other.close();
    await relay.stop();
  });
  const author = new Author();
  await until(() => started(log).length > 0, 'the plugin to start');
  return {
    relay,
    client,
    log,
    send: (content: string) => {
      const event = author.event({ content });
      client.send(['EVENT', event]);
      return event;
    },
    publish: (content: string) => client.publish(author.event({ content })),
    /**
     * Checks that another client, which writes nothing that the plugin is asked about, is served.
     */
    isServed: async () => {
      const event = author.event({ kind: 2 });
      expect(await other.publish(event)).toEqual(['OK', event.id, true, '']);
      expect((await other.query({ ids: [event.id] })).events).toEqual([event]);
    },
  };
}

/** Returns the ids of the plugin processes that have been started. */
function started(log: string): number[] {
  try {
    return readFileSync(log, 'utf8').trim().split('\n').map(Number);
  } catch {
    return [];
  }
}

describe('a plugin that fails', () => {
  it('is ended and started again if it stalls, while other clients are served', async () => {
    const { relay, client, log, send, publish, isServed } = await trouble('stall', SHORT, {
      'plugins.breaker_failures': 100,
    });
    expect((await publish('good'))[2]).toBe(true);
    const event = send('trouble');
    const behind = send('good, behind it');
    await isServed();
    expect(client.inbox).toEqual([]);
    expect((await client.ok(event.id)).slice(2)).toEqual([false, CLOSED]);
    // The plugin was asked about this event too, and its time has passed.
    expect((await client.ok(behind.id)).slice(2)).toEqual([false, CLOSED]);
    await until(async () => (await publish('good again'))[2] === true, 'its successor');
    const [first, second] = started(log);
    expect(second).toBeGreaterThan(0);
    await until(() => !isRunning(first!), 'the stalled process to go');
    expect(relay.logged.join()).toContain('it has not answered for 3000 ms');
    expect(relay.relay.metricsText()).toMatch(/^wok_plugin_failures_total\{why="silent"\} [1-9]/m);
  });

  it('lets events through that it was asked about, with fail=open', async () => {
    const { publish } = await trouble('stall', `${SHORT} fail=open`);
    expect((await publish('trouble')).slice(2)).toEqual([true, '']);
  });

  it('is not queried for a while after several failures', () =>
    inTime(async (scale, within) => {
      const { relay, publish, isServed, log } = await trouble('die', LONG, {
        'plugins.breaker_failures': 2,
        'plugins.breaker_seconds': scale,
      });
      expect((await publish('trouble')).slice(2)).toEqual([false, CLOSED]);
      const opened = performance.now();
      const done = within(scale * 1000);
      expect((await publish('trouble')).slice(2)).toEqual([false, CLOSED]);
      expect(relay.logged.join()).toContain('circuit breaker is open');
      const before = started(log).length;
      // Not even an event that it would accept is sent to it or waits for it.
      for (let i = 0; i < 20; i++) expect((await publish('good'))[3]).toBe(CLOSED);
      expect(started(log).length).toBe(before);
      done();
      await isServed();
      await until(async () => (await publish('good'))[2] === true, 'the plugin to be tried again');
      expect(performance.now() - opened).toBeGreaterThan(950 * scale);
      for (let i = 0; i < 5; i++) expect((await publish('good'))[2]).toBe(true);
    }));

  it.each([
    ['die', 'it exited with status 3'],
    ['wrong-id', 'an id that it was not asked about'],
    ['wrong-action', 'an unknown action'],
    ['flood', 'a line without an end'],
    ['flood-lines', 'too many lines that are not responses'],
    // 30,000 characters, which are 90,000 bytes.
    ['long-line', 'it printed a line'],
  ])('is replaced at once: %s', async (kind, why) => {
    const { relay, client, send, publish, isServed } = await trouble(kind);
    const event = send('trouble');
    const behind = send('good, behind it');
    await isServed();
    // Long before the timeout has passed.
    expect((await client.ok(event.id)).slice(2)).toEqual([false, CLOSED]);
    // Not the fault of this event: the next process is asked about it again.
    expect((await client.ok(behind.id)).slice(2)).toEqual([true, '']);
    expect(relay.logged.join()).toContain(why);
    expect((await publish('good'))[2]).toBe(true);
  });
});

describe('a plugin that misbehaves', () => {
  it('may print other lines between its responses', async () => {
    const { relay, publish } = await trouble('garbage');
    expect((await publish('trouble')).slice(2)).toEqual([true, '']);
    expect((await publish('good')).slice(2)).toEqual([true, '']);
    expect(relay.logged.join()).toContain('this is no JSON');
  });

  it('may respond twice: the first response counts', async () => {
    const { client, publish, log } = await trouble('twice');
    for (let i = 0; i < 10; i++) expect((await publish(`trouble ${i}`))[2]).toBe(true);
    expect(client.inbox).toEqual([]);
    expect(started(log).length).toBe(1);
  });

  it('does not fill the log by flooding standard error', async () => {
    const { relay, publish } = await trouble('flood-errors');
    expect((await publish('trouble'))[2]).toBe(true);
    await until(() => relay.logged.join().includes('was left out of the log'), 'the count');
    expect(relay.said.filter((line) => line.startsWith('plugin output')).length).toBeLessThan(200);
  });

  it('lets no event wait for ever if it is slow', async () => {
    const { client, send, isServed } = await trouble('slow', SHORT);
    const events = Array.from({ length: 16 }, (_, i) => send(`trouble ${i}`));
    await isServed();
    const answers = await Promise.all(events.map(({ id }) => client.ok(id)));
    expect(answers[0]!.slice(2)).toEqual([true, '']);
    expect(answers.at(-1)!.slice(2)).toEqual([false, BUSY]);
  });

  it('is killed when the relay stops if it ignores SIGTERM', async () => {
    const log = join(freshDirectory(), 'pids');
    const relay = await startRelay(plugins(`exec ${script('wrong.mjs')} deaf ${log}`));
    const client = await Client.connect(relay.url);
    expect((await client.publish(new Author().event({ content: 'trouble' })))[2]).toBe(true);
    const [pid] = started(log);
    expect(isRunning(pid!)).toBe(true);
    await client.close();
    await relay.stop();
    await until(() => !isRunning(pid!), 'the process to go');
  });

  it('refuses events and logs why if it is missing', async () => {
    const relay = await startRelay(plugins('/nowhere/plugin.sh'));
    const client = await Client.connect(relay.url);
    expect((await client.publish(new Author().event())).slice(2)).toEqual([false, CLOSED]);
    expect(relay.logged.join()).toContain('it exited with status 127');
    await client.close();
    await relay.stop();
  });
});

describe('several processes', () => {
  it('stall one by one: events sent to another one are answered', async () => {
    const { relay, client, send, log } = await trouble('stall', 'processes=2 timeout=10s');
    await until(() => started(log).length === 2, 'both processes');
    const event = send('trouble');
    const author = new Author();
    // Connections are numbered: of two in a row, one falls to the other process.
    const others = await Promise.all([0, 1].map(() => Client.connect(relay.url)));
    const published = others.map((other) => other.publish(author.event()));
    expect((await Promise.race(published))[2]).toBe(true);
    // The process with the first event still stalls.
    expect(client.inbox).toEqual([]);
    expect((await client.ok(event.id))[3]).toBe(CLOSED);
    await Promise.all(published);
    for (const other of others) await other.close();
  });
});

describe('what waits for a plugin', () => {
  it('is bounded; beyond it is rate-limited, and what needs no plugin passes', async () => {
    const { client, send, isServed } = await trouble('stall', 'timeout=5s', {
      'plugins.waiting_events_max': 10,
    });
    const events = Array.from({ length: 30 }, (_, i) => send(`trouble ${i}`));
    const full = await Promise.all(events.slice(10).map(({ id }) => client.ok(id)));
    for (const answer of full) {
      expect(answer.slice(2)).toEqual([
        false,
        'rate-limited: the policy queue of this relay is full; try again',
      ]);
    }
    await isServed();
    for (const { id } of events.slice(0, 10)) expect((await client.ok(id))[2]).toBe(false);
  });

  it('is refused when the plugin host dies, which is started again', async () => {
    const { relay, client, log, send, publish } = await trouble('stall');
    const event = send('trouble');
    await client.sync();
    const [stuck] = started(log);
    await relay.relay.kill('plugins', 0);
    expect((await client.ok(event.id)).slice(2)).toEqual([false, CLOSED]);
    expect((await publish('good'))[2]).toBe(true);
    expect(client.closed).toBe(null);
    // The process reacts to nothing any more; only the next plugin host can end it.
    await until(() => !isRunning(stuck!), 'the stuck process to go');
  });
});
