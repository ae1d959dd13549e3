// `wok why` and `wok why --reads`: the fate of an event or a query, and the rule, limit or person
// that decided. In-process relay over real sockets, the control socket and the command;
// DecisionNotes as a unit.

import { describe, expect, it, onTestFinished } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import type { RefusedRead } from '../../src/metrics/refused-reads.ts';
import { RejectionReporter } from '../../src/policy/rejection-log.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import type { Why } from '../../src/web/api/events.ts';
import { Author, now } from '../support/author.ts';
import { Client, type Message } from '../support/client.ts';
import { Control } from '../support/control.ts';
import { until } from '../support/process.ts';
import { freshDirectory, type Settings, startRelay } from '../support/relay.ts';
import { wokHere } from '../support/wok.ts';

async function start(settings: Settings = {}, directory = freshDirectory()) {
  const relay = await startRelay({ 'ingester.workers': 1, ...settings }, directory);
  const control = await Control.connect(directory);
  const client = await Client.connect(relay.url);
  const stop = async () => {
    client.socket.terminate();
    control.socket.destroy();
    await relay.stop();
  };
  let stopped = false;
  const once = async () => {
    if (!stopped) await stop();
    stopped = true;
  };
  onTestFinished(once);
  const why = ({ id }: { id: string }) => control.ask<Why>('why', { id });
  /** Returns the decisions on an event once there is one. */
  const told = async (event: { id: string }) => {
    await until(async () => (await why(event)).rejections.length > 0, 'a rejection');
    return (await why(event)).rejections;
  };
  return { relay, control, client, why, told, stop: once };
}

describe('wok why', () => {
  it('tells rule, text and time of every refusal', async () => {
    const denied = new Author();
    const { client, told } = await start({
      'policy.pubkeys_denied': [denied.pubkey],
      'policy.kinds_denied': ['7'],
      'policy.hashtags_max': 2,
    });
    const author = new Author();
    const forged = { ...author.event(), sig: '0'.repeat(128) };
    const t = [1, 2, 3].map((n) => ['t', `${n}`]);
    const cases: [NostrEvent, string][] = [
      [denied.event(), 'pubkeys-denied'],
      [author.event({ kind: 7 }), 'kinds'],
      [author.event({ tags: t }), 'hashtags'],
      [author.event({ created_at: now() + 5000 }), 'limits'],
      [{ ...author.event(), content: 'changed' }, 'id'],
      [forged, 'signature'],
      [{ ...author.event(), kind: -1 }, 'shape'],
    ];
    const began = now();
    for (const [event, rule] of cases) {
      const [, , accepted, text] = await client.publish(event);
      expect(accepted).toBe(false);
      const [rejection] = await told(event);
      expect(rejection).toMatchObject({ id: event.id, action: 'refused', rule, text, by: '' });
      expect(rejection!.at).toBeGreaterThanOrEqual(began);
      expect(rejection!.at).toBeLessThanOrEqual(now());
    }
  });

  it('tells of refusals by limits.in_flight_bytes_max', async () => {
    const { client, told } = await start({ 'limits.in_flight_bytes_max': 1024 });
    const author = new Author();
    let refused: Message | undefined;
    // The events do not always reach the relay together.
    await until(async () => {
      const events = Array.from({ length: 20 }, () => author.event());
      for (const event of events) client.send(['EVENT', event]);
      const answers = await Promise.all(events.map(({ id }) => client.ok(id)));
      refused = answers.find(([, , accepted]) => accepted === false);
      return refused !== undefined;
    }, 'a refusal');
    expect(await told({ id: refused![1] as string })).toMatchObject([{ rule: 'in-flight' }]);
  });
});

describe('wok why about a stored event', () => {
  it('tells when it was accepted, and later who removed it and why', async () => {
    const { client, control, why, told, relay, stop } = await start();
    const author = new Author();
    const [kept, removed, deleted] = [author.event(), author.event(), author.event()];
    const [old, newer] = [0, 1].map((n) => author.event({ kind: 0, created_at: now() - 10 + n }));
    for (const event of [kept, removed, deleted, old!, newer!]) await client.publish(event);
    expect((await why(kept)).stored).toMatchObject({
      seq: 1,
      pubkey: author.pubkey,
      kind: 1,
      received_at: expect.toSatisfy((at: number) => Math.abs(at - now()) < 300),
    });
    await control.ask('mod.remove', { what: 'event', subject: removed.id, reason: 'illegal' });
    expect(await told(removed)).toMatchObject([
      { action: 'removed', rule: 'moderation', by: 'shell', text: 'illegal' },
    ]);
    await client.publish(removed);
    await until(async () => (await told(removed)).length > 1, 'the refusal');
    await client.publish(author.deletion([['e', deleted.id]]));
    expect(await told(deleted)).toMatchObject([{ action: 'removed', rule: 'deleted' }]);
    expect(await told(old!)).toMatchObject([{ action: 'removed', rule: 'replaced' }]);
    await client.publish(old!);
    await until(async () => (await told(old!)).length > 1, 'the refusal');
    expect((await told(old!))[1]).toMatchObject({ action: 'refused', rule: 'superseded' });
    await client.publish(deleted);
    await until(async () => (await told(deleted)).length > 1, 'the refusal');
    await stop();

    const again = await start({}, relay.directory);
    expect(await again.why(removed)).toMatchObject({
      stored: null,
      rejections: [
        { action: 'removed', text: 'illegal' },
        { action: 'refused', rule: 'event-banned' },
      ],
      listed: [{ list: 'event', stance: 'ban', by: 'shell', reason: 'illegal' }],
    });
    expect((await again.why(deleted)).deletedBy).toEqual([author.pubkey]);
    expect((await again.told(deleted))[1]).toMatchObject({ action: 'refused', rule: 'deleted' });
    const { out, code } = await wokHere(['why', removed.id, '--data', relay.directory]);
    expect(code).toBe(0);
    expect(out.split('\n').slice(0, 3)).toEqual([
      expect.stringMatching(/^removed {2}\S+ \S+ {2}moderation \(shell\): illegal$/),
      expect.stringMatching(/^refused {2}\S+ \S+ {2}event-banned: blocked: /),
      expect.stringMatching(/^event banned {2}\S+ \S+ {2}by shell: illegal$/),
    ]);
    const json = await wokHere(['why', kept.id, '--json', '--data', relay.directory]);
    expect(JSON.parse(json.out)).toMatchObject({ stored: { seq: 1 }, rejections: [] });
    const nothing = await wokHere(['why', '0'.repeat(64), '--data', relay.directory]);
    expect(nothing.out).toBe('This relay has no record of this event.\n');
    const wrong = await wokHere(['why', 'abc', '--data', relay.directory]);
    expect(wrong).toMatchObject({ code: 2, out: '' });
  });
});

describe('the rejection log', () => {
  it('keeps the newest up to moderation.decisions_max, and none if that is 0', async () => {
    const { client, told, why, control } = await start({
      'moderation.decisions_max': 5,
      'moderation.decisions_per_second_max': 10_000,
      'policy.kinds_denied': ['1'],
    });
    const author = new Author();
    const events = Array.from({ length: 20 }, () => author.event());
    for (const event of events.slice(0, 19)) await client.publish(event);
    await until(async () => (await why(events[0]!)).rejections.length === 0, 'the first to go');
    await client.publish(events[19]!);
    expect(await told(events[19]!)).toHaveLength(1);
    expect((await control.ask<Why>('why', { id: events[0]!.id })).rejections).toEqual([]);
    const off = await start({ 'moderation.decisions_max': 0, 'policy.kinds_denied': ['1'] });
    await off.client.publish(events[0]!);
    await off.client.sync();
    expect((await off.why(events[0]!)).rejections).toEqual([]);
  });

  it('is bounded in a flood: further refusals are only counted', async () => {
    const { client, why } = await start({
      'moderation.decisions_per_second_max': 5,
      'policy.kinds_denied': ['1'],
    });
    const author = new Author();
    const events = Array.from({ length: 200 }, () => author.event());
    const began = performance.now();
    for (const event of events) client.send(['EVENT', event]);
    for (const { id } of events) await client.ok(id);
    const seconds = (performance.now() - began) / 1000;
    const known = async () => {
      const all = await Promise.all(events.map(why));
      return all.filter(({ rejections }) => rejections.length > 0).length;
    };
    await until(async () => (await known()) + (await why(events[0]!)).omitted === 200, 'the count');
    // Five for every second that the flood took, the first and the last second begun.
    expect((await why(events[0]!)).omitted).toBeGreaterThanOrEqual(200 - 5 * (seconds + 2));
  });
});

describe('the rejection reporter of an ingester worker', () => {
  it('drops events without an id, and sends a bounded number a second', () => {
    let second = 1;
    let sent = 0;
    let omitted = 0;
    const notes = new RejectionReporter(2, () => second);
    notes.to((batch) => {
      sent += batch.records.length;
      omitted += batch.omitted;
    });
    for (const event of [null, 7, {}, { id: 7 }, { id: 'abc' }, { id: 'A'.repeat(64) }]) {
      notes.note(event, 'refused', 'shape', '');
    }
    expect(sent).toBe(0);
    for (let i = 0; i < 5; i++) notes.note({ id: '0'.repeat(64) }, 'refused', 'kinds', '');
    expect([sent, omitted]).toEqual([2, 0]);
    second = 2;
    notes.note({ id: '0'.repeat(64) }, 'refused', 'kinds', '');
    expect([sent, omitted]).toEqual([3, 3]);
  });
});

describe('wok why --reads', () => {
  const reads = (control: Control, connection?: number) =>
    control.ask<RefusedRead[]>('why.reads', connection === undefined ? {} : { connection });

  it('tells which REQs and COUNTs were refused, and why, without keys', async () => {
    const { relay, client, control } = await start({
      'limits.filter_values_max': 2,
      'limits.subscriptions_max': 1,
      'query.count_enabled': false,
    });
    const key = new Author().pubkey;
    const name = `name-${key.slice(0, 8)}`;
    const cases: [object[], string, string][] = [
      [[{ kinds: [1, 2, 3] }], 'error: filter has too many values', ''],
      [[{ kinds: [4], '#p': [key], limit: 5 }], 'auth-required: ', 'kinds 4 #p×1 limit 5'],
      [[{ kinds: 1 }], 'invalid: filter kinds must be a list', ''],
    ];
    for (const [filters] of cases)
      expect((await client.req(name, ...filters)).end[0]).toBe('CLOSED');
    await client.req('open', { authors: [key] });
    expect((await client.req(name, { authors: [key] })).end[0]).toBe('CLOSED');
    await client.count({ authors: [key] });
    const wanted = [
      ...cases.map(([, text, filters]) => ['REQ', text, filters]),
      ['REQ', 'rate-limited: too many subscriptions', 'authors×1'],
      ['COUNT', 'unsupported: this relay does not offer COUNT (NIP-45)', 'authors×1'],
    ];
    const found = (await reads(control)).reverse();
    expect(found).toHaveLength(wanted.length);
    for (const [verb, text, filters] of wanted) {
      const one = found.find((read) => read.text.startsWith(text!) && read.filters === filters);
      expect(one, text).toMatchObject({ type: verb, outcome: 'refused', connection: 1 });
    }
    expect(JSON.stringify(found)).not.toContain(key.slice(0, 8));
    expect(await reads(control, 2)).toEqual([]);

    const told = await wokHere(['why', '--reads', '--data', relay.directory]);
    expect(told.out.trim().split('\n')).toHaveLength(wanted.length);
    expect(told.out).toMatch(
      /^refused {2}\S+ \S+ {2}REQ of connection 1 {2}auth-required: .*\(kinds 4 #p×1 limit 5\)$/m,
    );
    const none = await wokHere(['why', '--reads', '--connection', '7', '--data', relay.directory]);
    expect(none.out).toContain('recently');
    expect((await wokHere(['why', '--reads', '--connection', 'x'])).code).toBe(exitCodes.usage);
  });

  it('keeps a bounded number of them, and few of a flood', async () => {
    const { client, control } = await start();
    for (let i = 0; i < 200; i++) client.send(['REQ', `s${i}`, { kinds: 1 }]);
    await client.sync();
    const found = await reads(control);
    expect(found.length).toBeGreaterThan(0);
    const seconds = new Set(found.map(({ at }) => at)).size;
    expect(found.length).toBeLessThanOrEqual(10 * seconds);
  });
});
