/** Plugins that do wrong: what it costs themselves, and that it costs nobody else anything. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Author } from './support/author.ts';
import { Client } from './support/client.ts';
import { plugins, script } from './support/plugins.ts';
import { until } from './support/process.ts';
import { freshDirectory, type Settings, startRelay } from './support/relay.ts';

const CLOSED = 'error: a policy of this relay does not answer; try again later';
const BUSY = 'rate-limited: a policy of this relay has too much to do; try again';

/** A relay whose plugin makes this trouble for kind 1 that says so; a client, and one that suffers not. */
async function trouble(kind: string, entry = '', settings: Settings = {}) {
  const log = join(freshDirectory(), 'pids');
  const relay = await startRelay({
    ...plugins(`kinds=1 timeout=500ms ${entry} -- exec ${script('wrong.mjs')} ${kind} ${log}`),
    'ingester.lanes': 1,
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
    /** Somebody else, who does not write what the plugin is asked about. */
    isServed: async () => {
      const event = author.event({ kind: 2 });
      expect(await other.publish(event)).toEqual(['OK', event.id, true, '']);
      expect((await other.query({ ids: [event.id] })).events).toEqual([event]);
    },
  };
}

/** The processes that have been started, by their ids. */
function started(log: string): number[] {
  try {
    return readFileSync(log, 'utf8').trim().split('\n').map(Number);
  } catch {
    return [];
  }
}

/** One that has ended stays a zombie when the thread that would take note of it is gone. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a plugin that', () => {
  it('stalls is ended after its time and started again; nobody else notices', async () => {
    const { relay, client, log, send, publish, isServed } = await trouble('stall', '', {
      'plugins.breaker_failures': 100,
    });
    expect((await publish('good'))[2]).toBe(true);
    const event = send('trouble');
    const behind = send('good, behind it');
    await isServed();
    expect(client.inbox).toEqual([]);
    expect((await client.ok(event.id)).slice(2)).toEqual([false, CLOSED]);
    // It was asked about this one too, and its time has passed.
    expect((await client.ok(behind.id)).slice(2)).toEqual([false, CLOSED]);
    await until(async () => (await publish('good again'))[2] === true, 'its successor');
    const [first, second] = started(log);
    expect(second).toBeGreaterThan(0);
    await until(() => !isAlive(first!), 'the stalled process to go');
    expect(relay.logged.join()).toContain('it has not answered for 500 ms');
    expect(relay.relay.metricsText()).toMatch(/^wok_plugin_failures_total\{why="silent"\} [1-9]/m);
  });

  it('stalls and may fail open lets through what it was asked', async () => {
    const { publish } = await trouble('stall', 'fail=open');
    expect((await publish('trouble')).slice(2)).toEqual([true, '']);
  });

  it('fails again and again is not waited for, and tried after a while', async () => {
    const { relay, publish, isServed, log } = await trouble('die', '', {
      'plugins.breaker_failures': 2,
      'plugins.breaker_seconds': 1,
    });
    expect((await publish('trouble')).slice(2)).toEqual([false, CLOSED]);
    expect((await publish('trouble')).slice(2)).toEqual([false, CLOSED]);
    expect(relay.logged.join()).toContain('not asked for a while');
    const opened = performance.now();
    const before = started(log).length;
    // Even what it would accept: nobody asks it, nobody waits for it.
    for (let i = 0; i < 20; i++) expect((await publish('good'))[3]).toBe(CLOSED);
    expect(started(log).length).toBe(before);
    await isServed();
    await until(async () => (await publish('good'))[2] === true, 'the plugin to be tried again');
    expect(performance.now() - opened).toBeGreaterThan(500);
    for (let i = 0; i < 5; i++) expect((await publish('good'))[2]).toBe(true);
  });

  it.each([
    ['die', 'it ended with status 3'],
    ['wrong-id', 'an id that it was not asked about'],
    ['wrong-action', 'an unknown action'],
    ['flood', 'a line without an end'],
    ['flood-lines', 'much that is no answer'],
  ])('does %s fails at once, and its successor serves', async (kind, why) => {
    const { relay, client, send, publish, isServed } = await trouble(kind, 'timeout=8s');
    const began = performance.now();
    const event = send('trouble');
    const behind = send('good, behind it');
    await isServed();
    expect((await client.ok(event.id)).slice(2)).toEqual([false, CLOSED]);
    expect(performance.now() - began).toBeLessThan(6000);
    // Not its fault: it is asked again.
    expect((await client.ok(behind.id)).slice(2)).toEqual([true, '']);
    expect(relay.logged.join()).toContain(why);
    expect((await publish('good'))[2]).toBe(true);
  });

  it('prints other things between its answers is believed all the same', async () => {
    const { relay, publish } = await trouble('garbage');
    expect((await publish('trouble')).slice(2)).toEqual([true, '']);
    expect((await publish('good')).slice(2)).toEqual([true, '']);
    expect(relay.logged.join()).toContain('this is no JSON');
  });

  it('answers twice is taken at its first word', async () => {
    const { client, publish, log } = await trouble('twice');
    for (let i = 0; i < 10; i++) expect((await publish(`trouble ${i}`))[2]).toBe(true);
    expect(client.inbox).toEqual([]);
    expect(started(log).length).toBe(1);
  });

  it('floods standard error fills no log', async () => {
    const { relay, publish } = await trouble('flood-errors');
    expect((await publish('trouble'))[2]).toBe(true);
    await until(() => relay.logged.join().includes('more than the log takes'), 'the count');
    expect(relay.said.filter((line) => line.startsWith('a plugin says')).length).toBeLessThan(200);
  });

  it('is slow says so instead of letting people wait for ever', async () => {
    const { client, send, isServed } = await trouble('slow', 'timeout=1s');
    const events = Array.from({ length: 8 }, (_, i) => send(`trouble ${i}`));
    await isServed();
    const answers = await Promise.all(events.map(({ id }) => client.ok(id)));
    expect(answers[0]!.slice(2)).toEqual([true, '']);
    expect(answers.at(-1)!.slice(2)).toEqual([false, BUSY]);
  });

  it('does not hear SIGTERM is killed when the relay stops', async () => {
    const log = join(freshDirectory(), 'pids');
    const relay = await startRelay(plugins(`exec ${script('wrong.mjs')} deaf ${log}`));
    const client = await Client.connect(relay.url);
    expect((await client.publish(new Author().event({ content: 'trouble' })))[2]).toBe(true);
    const [pid] = started(log);
    expect(isAlive(pid!)).toBe(true);
    await client.close();
    await relay.stop();
    await until(() => !isAlive(pid!), 'the process to go');
  });

  it('is missing refuses, and says why in the log', async () => {
    const relay = await startRelay(plugins('/nowhere/plugin.sh'));
    const client = await Client.connect(relay.url);
    expect((await client.publish(new Author().event())).slice(2)).toEqual([false, CLOSED]);
    expect(relay.logged.join()).toContain('it ended with status 127');
    await client.close();
    await relay.stop();
  });
});

describe('several processes', () => {
  it('stall one by one: who is at another one is served', async () => {
    const { relay, client, send, log } = await trouble('stall', 'processes=2 timeout=4s');
    await until(() => started(log).length === 2, 'both processes');
    const event = send('trouble');
    const author = new Author();
    // Connections are numbered: of two in a row, one falls to the other process.
    const served = await Promise.all(
      [0, 1].map(async () => {
        const client = await Client.connect(relay.url);
        const began = performance.now();
        await client.publish(author.event());
        await client.close();
        return performance.now() - began;
      }),
    );
    expect(Math.min(...served)).toBeLessThan(2500);
    expect((await client.ok(event.id))[3]).toBe(CLOSED);
  });
});

describe('what waits for a plugin', () => {
  it('is bounded; beyond it is rate-limited, and what needs no plugin passes', async () => {
    const { client, send, isServed } = await trouble('stall', 'timeout=2s', {
      'plugins.waiting_events_max': 10,
    });
    const events = Array.from({ length: 30 }, (_, i) => send(`trouble ${i}`));
    const full = await Promise.all(events.slice(10).map(({ id }) => client.ok(id)));
    for (const answer of full) {
      expect(answer.slice(2)).toEqual([
        false,
        'rate-limited: too much waits for the policy of this relay; try again',
      ]);
    }
    await isServed();
    for (const { id } of events.slice(0, 10)) expect((await client.ok(id))[2]).toBe(false);
  });

  it('is refused when the room of the plugins dies, which is started again', async () => {
    const { relay, client, log, send, publish } = await trouble('stall', 'timeout=8s');
    const event = send('trouble');
    await client.sync();
    const [stuck] = started(log);
    await relay.relay.kill('plugins', 0);
    expect((await client.ok(event.id)).slice(2)).toEqual([false, CLOSED]);
    expect((await publish('good'))[2]).toBe(true);
    expect(client.closed).toBe(null);
    // It hears nothing any more; nobody but its room's successor can end it.
    await until(() => !isAlive(stuck!), 'the stuck process to go');
  });
});
