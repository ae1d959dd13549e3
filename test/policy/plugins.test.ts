// Plugins that speak strfry's write-policy protocol, in Python, Perl and JavaScript, and read
// policies. In-process relay over real sockets, plugins as child processes; SlotNames as a unit.

import { copyFileSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PLUGIN_SLOTS } from '../../src/metrics/label-values.ts';
import { SlotNames } from '../../src/metrics/slot-names.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { plugins, script } from '../support/plugins.ts';
import { until } from '../support/process.ts';
import { freshDirectory, startRelay, testConfig } from '../support/relay.ts';
import { type RelayInUse, useRelay } from '../support/use-relay.ts';

interface Asked {
  type: string;
  event: Record<string, unknown>;
  receivedAt: number;
  sourceType: string;
  sourceInfo: string;
}

const asked = join(freshDirectory(), 'asked');
const author = new Author();

describe('a plugin in Python', () => {
  const use = useRelay({
    ...plugins(`WOK_TEST_ASKED=${asked} python3 ${script('whitelist.py')}`),
    // An indexed event is known to be stored before any plugin is asked.
    'storage.index_batch_events': 1,
  });
  requestsToPlugin(use);
  responsesOfPlugin(use);
});

function requestsToPlugin(use: RelayInUse): void {
  it('gets exactly the requests of strfry, and its accepted event is stored', async () => {
    const event = author.event({ content: 'hello "world" \n é 🦩', tags: [['t', 'x']] });
    expect(await use.client.publish(event)).toEqual(['OK', event.id, true, '']);
    const lines = readFileSync(asked, 'utf8').trim().split('\n');
    const request = JSON.parse(lines.at(-1)!) as Asked;
    expect(Object.keys(request)).toEqual([
      'event',
      'receivedAt',
      'sourceInfo',
      'sourceType',
      'type',
    ]);
    expect(request).toMatchObject({ type: 'new', sourceType: 'IP4', sourceInfo: '127.0.0.1' });
    expect(request.event).toEqual(event);
    expect(Math.abs(request.receivedAt - now())).toBeLessThan(120);
    expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
  });

  it('gets the authenticated key: the author of the event, else the first', async () => {
    const last = () =>
      JSON.parse(readFileSync(asked, 'utf8').trim().split('\n').at(-1)!) as { authed?: string };
    const [first, second] = [new Author(), new Author()];
    await use.client.auth(first, second);
    for (const [writer, authed] of [
      [first, first],
      [second, second],
      [author, first],
    ] as const) {
      await use.client.publish(writer.event());
      expect(last().authed).toBe(authed.pubkey);
    }
  });

  it('gets IPv6 addresses as such', async () => {
    const client = await Client.connect(use.relay.url, {
      headers: { 'X-Forwarded-For': '2001:db8::7' },
    });
    await client.publish(author.event());
    const request = JSON.parse(readFileSync(asked, 'utf8').trim().split('\n').at(-1)!) as Asked;
    expect(request).toMatchObject({ sourceType: 'IP6', sourceInfo: '2001:db8::7' });
    await client.close();
  });

  it('gets no request for events that are refused anyway or stored already', async () => {
    const count = () => readFileSync(asked, 'utf8').trim().split('\n').length;
    const event = author.event();
    await use.client.publish(event);
    const before = count();
    await use.client.publish({ ...author.event(), sig: '0'.repeat(128) });
    await use.client.sync();
    expect((await use.client.publish(event))[3]).toMatch(/^duplicate: /);
    expect(count()).toBe(before);
  });

  it('gets requests for ephemeral events', async () => {
    const event = author.event({ kind: 20_001, content: 'refuse' });
    expect(await use.client.publish(event)).toEqual([
      'OK',
      event.id,
      false,
      'blocked: python says no',
    ]);
  });
}

function responsesOfPlugin(use: RelayInUse): void {
  it.each([
    ['refuse me', 'blocked: python says no'],
    ['bare text', 'blocked: python says no'],
    ['silent', 'blocked: rejected by the policy of this relay'],
  ])('rejects %j with a machine-readable prefix', async (content, message) => {
    const event = author.event({ content });
    expect(await use.client.publish(event)).toEqual(['OK', event.id, false, message]);
    expect((await use.client.query({ ids: [event.id] })).events).toEqual([]);
  });

  it('shadow-rejects: OK true, neither stored nor delivered', async () => {
    const other = await use.connect();
    await other.req('live', { authors: [author.pubkey], since: now() - 5 });
    const event = author.event({ content: 'shadow' });
    const after = author.event();
    expect(await use.client.publish(event)).toEqual(['OK', event.id, true, '']);
    await use.client.publish(after);
    expect((await use.client.query({ ids: [event.id] })).events).toEqual([]);
    let seen = await other.live('live');
    while (seen.id !== after.id) {
      expect(seen.id).not.toBe(event.id);
      seen = await other.live('live');
    }
  });

  it('decides about many events of one connection', async () => {
    const events = Array.from({ length: 200 }, (_, i) =>
      author.event({ content: i % 7 === 3 ? `refuse ${i}` : `note ${i}`, created_at: now() }),
    );
    for (const event of events) use.client.send(['EVENT', event]);
    for (const event of events) {
      expect((await use.client.ok(event.id))[2]).toBe(!event.content.startsWith('refuse'));
    }
    expect(use.relay.relay.metricsText()).toMatch(/^wok_plugin_seconds_count [1-9]/m);
    expect(use.relay.relay.metricsText()).toMatch(
      /^wok_policy_results_total\{result="refuse"\} [1-9]/m,
    );
  });
}

describe('a chain of a plugin in Perl and one in Python', () => {
  const use = useRelay(
    plugins(
      `processes=2 -- ${script('policy.pl')}`,
      `kinds=1,30000-39999 -- ${script('whitelist.py')}`,
    ),
  );
  const author = new Author();

  it.each([
    [{ kind: 9001 }, false, 'restricted: perl does not take kind 9001'],
    [{ kind: 1, content: 'pearl refuse' }, true, ''],
    [{ kind: 1, content: 'refuse' }, false, 'blocked: python says no'],
    [{ kind: 2, content: 'refuse: python is not asked about kind 2' }, true, ''],
    [{ kind: 30_000, content: 'refuse' }, false, 'restricted: perl does not take kind 30000'],
    [{ kind: 1, content: 'good' }, true, ''],
  ])('decides %j', async (draft, accepted, message) => {
    const event = author.event(draft);
    expect(await use.client.publish(event)).toEqual(['OK', event.id, accepted, message]);
  });

  it('keeps the order of a connection whose events are asked about by some plugins only', async () => {
    // Versions of one replaceable event: a later one that overtook would refuse those before it.
    const versions = Array.from({ length: 40 }, (_, i) =>
      author.event({ kind: i % 2 === 0 ? 0 : 1, created_at: now() - 100 + i }),
    );
    for (const event of versions) use.client.send(['EVENT', event]);
    const answers = await Promise.all(versions.map(({ id }) => use.client.ok(id)));
    expect(answers.map(([, , accepted]) => accepted)).toEqual(versions.map(() => true));
  });
});

describe('the file of a plugin', () => {
  it('is loaded again when it has changed, before the next event', async () => {
    const file = join(freshDirectory(), 'plugin.py');
    copyFileSync(script('whitelist.py'), file);
    const relay = await startRelay(plugins(file));
    const client = await Client.connect(relay.url);
    const author = new Author();
    expect((await client.publish(author.event({ content: 'refuse' })))[3]).toBe(
      'blocked: python says no',
    );
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('python says', 'the new one says'));
    expect((await client.publish(author.event({ content: 'refuse' })))[3]).toBe(
      'blocked: the new one says no',
    );
    // The content may be the same: the modification time counts, as in strfry.
    utimesSync(file, 1, 1);
    expect((await client.publish(author.event()))[2]).toBe(true);
    await client.close();
    await relay.stop();
  });

  it('may come later, and a reload of the configuration starts and ends plugins', async () => {
    const directory = freshDirectory();
    const relay = await startRelay({}, directory);
    const client = await Client.connect(relay.url);
    const author = new Author();
    const reload = async (...commands: string[]) => {
      await relay.relay.reload(testConfig(directory, { 'io.port': 0, ...plugins(...commands) }));
    };
    expect((await client.publish(author.event({ content: 'refuse 1' })))[2]).toBe(true);
    await reload(script('whitelist.py'));
    expect((await client.publish(author.event({ content: 'refuse 2' })))[2]).toBe(false);
    await reload(script('policy.pl'));
    expect((await client.publish(author.event({ content: 'refuse 3' })))[2]).toBe(true);
    expect((await client.publish(author.event({ kind: 9999 })))[2]).toBe(false);
    await reload();
    expect((await client.publish(author.event({ kind: 9999 })))[2]).toBe(true);
    await client.close();
    await relay.stop();
  });
});

describe('the latency of each plugin', () => {
  it('is counted by its name; a reload adds and removes names', async () => {
    const directory = freshDirectory();
    const spare = join(directory, 'spare.mjs');
    writeFileSync(spare, 'export const acceptEvent = () => true;\n');
    const base = {
      'policy.modules': JSON.stringify([spare]),
    };
    const named = (...names: string[]) =>
      plugins(...names.map((name) => `name=${name} -- ${script('whitelist.py')}`));
    const relay = await startRelay({ ...base, ...named('first', 'second') }, directory);
    const reload = (...names: string[]) =>
      relay.relay.reload(testConfig(directory, { ...base, 'io.port': 0, ...named(...names) }));
    /** Returns the number of answers by name of plugin or module. */
    const answers = () => {
      const lines = relay.relay
        .metricsText()
        .matchAll(/answer_seconds_count\{plugin="(.*)"\} (\d+)/g);
      return Object.fromEntries([...lines].map(([, name, count]) => [name, Number(count)]));
    };
    const client = await Client.connect(relay.url);
    const author = new Author();
    const publish = async () => expect((await client.publish(author.event()))[2]).toBe(true);
    await publish();
    expect(answers()).toEqual({ first: 1, second: 1, 'spare.mjs': 1 });
    expect(relay.relay.metricsText()).toMatch(/^wok_plugin_seconds_count 1$/m);
    await reload('second', 'third');
    await publish();
    expect(answers()).toEqual({ second: 2, third: 1, 'spare.mjs': 2 });
    // A plugin that comes back goes on counting at its last number.
    await reload('first');
    await publish();
    expect(answers()).toEqual({ first: 2, 'spare.mjs': 3 });
    await client.close();
    await relay.stop();
  });

  it('is measured for fifteen names, and as one for all others', () => {
    const names = new SlotNames(SlotNames.share(PLUGIN_SLOTS), PLUGIN_SLOTS);
    for (let i = 0; i < 20; i++) names.use([`one-${i}`]);
    expect(names.placeOf('one-14')).toBe('15');
    expect(names.placeOf('one-15')).toBe('other');
    expect(names.nameAt('15')).toBe(null);
    names.use(['one-14', 'one-15']);
    expect(names.nameAt('15')).toBe('one-14');
    expect(names.nameAt('1')).toBe(null);
  });
});

describe('what a plugin says', () => {
  it('on standard error stands in the log', async () => {
    const relay = await startRelay(plugins(script('whitelist.py')));
    await until(
      () => relay.said.some((line) => line.includes('python plugin is there')),
      'the line',
    );
    await relay.stop();
  });
});

describe('a read policy', () => {
  const use = useRelay(plugins(`asks=both -- ${script('reads.mjs')}`));
  const author = new Author();

  it('accepts, refuses and narrows REQ and COUNT, and still decides about events', async () => {
    const note = author.event({ kind: 1 });
    const reaction = author.event({ kind: 7, content: '+' });
    const profile = author.event({ kind: 0, content: '{}' });
    for (const event of [note, reaction, profile]) await use.client.publish(event);
    expect((await use.client.query({ kinds: [0] })).events).toEqual([profile]);
    expect((await use.client.req('dm', { kinds: [44] })).end).toEqual([
      'CLOSED',
      'dm',
      'restricted: not for dm (req)',
    ]);
    expect((await use.client.query({ kinds: [1] })).events).toEqual([reaction]);
    const [, queryId, why] = await use.client.count({ kinds: [44] });
    expect(why).toBe(`restricted: not for ${queryId} (count)`);
    expect((await use.client.count({ kinds: [1, 0] }))[2]).toEqual({ count: 1 });
  });

  it.each([
    [{ kinds: [2] }, 'error: a policy of this relay returned invalid filters'],
    [{ kinds: [3] }, 'error: a policy plugin of this relay does not respond; try again later'],
  ])('that answers nonsense to %j ends in a refusal', async (filter, why) => {
    expect((await use.client.req('x', filter)).end).toEqual(['CLOSED', 'x', why]);
  });

  it('is not asked about what is wrong by itself', async () => {
    expect((await use.client.req('x', { kinds: 'one' })).end[2]).toMatch(/^invalid: /);
  });

  it('keeps the order of REQ, REQ with the same id, and CLOSE', async () => {
    for (let round = 0; round < 20; round++) {
      use.client.send(['REQ', 's', { kinds: [0] }]);
      use.client.send(['CLOSE', 's']);
      use.client.send(['REQ', 's', { kinds: [7] }]);
      use.client.send(['REQ', `t${round}`, { kinds: [0] }]);
      await use.client.stored(`t${round}`);
    }
    await use.client.sync();
    // Only the last subscription under the id is open.
    const reaction = author.event({ kind: 7 });
    const profile = author.event({ kind: 0, created_at: now() + 10 });
    await use.client.publish(reaction);
    expect(
      (
        await use.client.next(
          ([verb, id, event]) =>
            verb === 'EVENT' && id === 's' && (event as { id: string }).id === reaction.id,
        )
      )[1],
    ).toBe('s');
    use.client.inbox.length = 0;
    await use.client.publish(profile);
    await use.client.sync();
    expect(use.client.inbox.filter(([verb, id]) => verb === 'EVENT' && id === 's')).toEqual([]);
  });

  it('whose client goes away while it thinks', async () => {
    for (let round = 0; round < 10; round++) {
      const client = await Client.connect(use.relay.url);
      client.send(['REQ', 'gone', { kinds: [0] }]);
      client.send(['EVENT', author.event()]);
      client.socket.terminate();
    }
    await use.client.sync();
    expect((await use.client.publish(author.event()))[2]).toBe(true);
  });
});
