// Retention by age, count and size: removed and protected events, and writes during a run.
// In-process relay over real sockets, the control socket and `wok mod retention`; retentionRule as
// a unit.

import { describe, expect, it, onTestFinished } from 'vitest';
import { retentionRule } from '../../src/config/retention-rule.ts';
import { canonicalJson } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { BodyMaker } from '../../src/store/body/body.ts';
import type { RetentionReport } from '../../src/web/api/config.ts';
import type { Why } from '../../src/web/api/events.ts';
import type { AuditRow } from '../../src/web/api/moderation.ts';
import { idsOf } from '../support/answers.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { Control } from '../support/control.ts';
import { until } from '../support/process.ts';
import { Publisher } from '../support/publisher.ts';
import { type Settings, startRelay, testConfig } from '../support/relay.ts';
import { wokHere } from '../support/wok.ts';

const DAY = 86_400;

async function start(settings: Settings) {
  const relay = await startRelay({
    'storage.index_delay_milliseconds': 10,
    'retention.interval_seconds': 600_000,
    ...settings,
  });
  const [control, client] = await Promise.all([
    Control.connect(relay.directory),
    Client.connect(relay.url),
  ]);
  onTestFinished(async () => {
    client.socket.terminate();
    control.socket.destroy();
    await relay.stop();
  });
  return {
    relay,
    control,
    client,
    /** Publishes events and waits until the index has them. */
    async publish(...events: NostrEvent[]) {
      for (const event of events) expect((await client.publish(event))[2]).toBe(true);
      await control.indexed();
    },
    retention: (what: 'preview' | 'run') =>
      control.ask<RetentionReport>('mod.retention', { do: what }),
    async left(...authors: Author[]) {
      const { events } = await client.query({ authors: authors.map(({ pubkey }) => pubkey) });
      return idsOf(events);
    },
  };
}

describe('retention by age', () => {
  it('removes what is too old by the last rule that fits, after a preview that removes nothing', async () => {
    const member = new Author();
    const use = await start({
      'retention.age': ['regular=10d', '7=1d', '30000-39999=5d', '9@members=1d'],
      'retention.pubkeys_protected': [member.pubkey],
    });
    const other = new Author();
    const aged = (days: number, kind: number, tags: string[][] = []) => ({
      created_at: Math.floor(now() - days * DAY),
      kind,
      tags,
    });
    const gone = [
      other.event(aged(10.1, 1)),
      other.event(aged(1.1, 7)),
      other.event(aged(5.1, 30_023, [['d', 'x']])),
      member.event(aged(1.1, 9)),
    ];
    const stays = [
      other.event(aged(9.9, 1)),
      other.event(aged(0.9, 7)),
      other.event(aged(4.9, 30_024, [['d', 'x']])),
      other.event(aged(300, 0)),
      member.event(aged(300, 1)),
      member.event(aged(300, 7)),
      member.event(aged(0.9, 9)),
    ];
    await use.publish(...gone, ...stays);
    const preview = await use.retention('preview');
    expect(preview.rules.map(({ rule, events }) => [rule, events]).sort()).toEqual([
      ['30000-39999=5d', 1],
      ['7=1d', 1],
      ['9@members=1d', 1],
      ['regular=10d', 1],
    ]);
    const packer = new BodyMaker(true);
    const bytesOf = (one: NostrEvent) => packer.make(Buffer.from(canonicalJson(one))).length;
    expect(preview.bytes).toBe(gone.reduce((all, one) => all + bytesOf(one), 0));
    expect(await use.left(other, member)).toHaveLength(11);
    expect(await use.retention('run')).toMatchObject({ events: 4, rules: preview.rules });
    expect((await use.left(other, member)).sort()).toEqual(idsOf(stays).sort());
    expect(await use.retention('preview')).toMatchObject({ events: 0 });
    const rows = await use.control.ask<AuditRow[]>('mod.audit');
    expect(rows.map(({ action, by }) => [action, by])).toEqual(
      Array(4).fill(['retention', 'shell']),
    );
    await until(async () => {
      const { rejections } = await use.control.ask<Why>('why', { id: gone[1]!.id });
      return rejections[0]?.rule === 'retention';
    }, 'wok why');
    // The event may come back, until the next run.
    await use.publish(gone[0]!);
    expect(await use.retention('run')).toMatchObject({ events: 1 });
  });

  it('goes by itself, and a reload is enough to begin with it', async () => {
    const use = await start({});
    const author = new Author();
    await use.publish(author.event({ created_at: now() - 2 * DAY }), author.event({ kind: 7 }));
    const settings = { 'retention.age': ['1=1d'] };
    const { live } = await use.relay.relay.reload(
      testConfig(use.relay.directory, {
        'storage.index_delay_milliseconds': 10,
        'retention.interval_seconds': 1,
        ...settings,
      }),
    );
    expect(live.map(({ key }) => key)).toEqual(['retention.age']);
    await until(async () => (await use.left(author)).length === 1, 'the run');
    const rows = () => use.control.ask<AuditRow[]>('mod.audit');
    await until(async () => (await rows()).length > 0, 'the end of the run');
    expect((await rows())[0]).toMatchObject({ by: 'relay', action: 'retention', subject: '1=1d' });
  });
});

describe('retention by count', () => {
  it('keeps the newest of every author and kind', async () => {
    const member = new Author();
    const use = await start({
      'retention.count': ['1=3', '30078=2', '7@members=1'],
      'policy.pubkeys_denied': [],
    });
    await use.control.ask('mod.put', { list: 'pubkey', subject: member.pubkey, stance: 'allow' });
    const [one, two] = [new Author(), new Author()];
    const series = (author: Author, kind: number, count: number) =>
      Array.from({ length: count }, (_, i) =>
        author.event({ kind, created_at: now() - 1000 + i, tags: [['d', `${i}`]] }),
      );
    const all = [
      series(one, 1, 5),
      series(one, 7, 5),
      series(two, 1, 3),
      series(two, 30_078, 4),
      series(member, 1, 5),
      series(member, 7, 3),
    ];
    await use.publish(...all.flat());
    // Postings of removed events do not count.
    await use.publish(one.deletion([['e', all[0]![4]!.id]]));
    const expected = [1, 2, 3].map((i) => all[0]![i]!.id);
    const report = await use.retention('run');
    expect(report.rules.map(({ rule, events }) => [rule, events]).sort()).toEqual([
      ['1=3', 1],
      ['30078=2', 2],
      ['7@members=1', 2],
    ]);
    const left = new Set(await use.left(one, two, member));
    expect(expected.every((id) => left.has(id))).toBe(true);
    expect(left.has(all[0]![0]!.id)).toBe(false);
    expect(idsOf(all[3]!).map((id) => left.has(id))).toEqual([false, false, true, true]);
    expect(idsOf(all[5]!).map((id) => left.has(id))).toEqual([false, false, true]);
    expect(idsOf([...all[1]!, ...all[2]!, ...all[4]!]).every((id) => left.has(id))).toBe(true);
  });
});

describe('the byte budget', () => {
  it('makes room with the oldest events of others, spares kinds and members, and writes go on', async () => {
    const member = new Author();
    const use = await start({
      'admin.pubkeys': [member.pubkey],
      'retention.mib_max': 16,
      'retention.mib_target_percent': 50,
    });
    const other = new Author();
    const filler = 'x'.repeat(50_000);
    let made = 0;
    const spared = [
      member.event({ created_at: now() - 100 * DAY, content: filler }),
      other.event({ created_at: now() - 100 * DAY, kind: 0, content: '{}' }),
      other.event({ created_at: now() - 100 * DAY, kind: 10_002 }),
    ];
    await use.publish(...spared);
    const publisher = await Publisher.connect(use.relay.url);
    const first = other.event({ created_at: now() - 50 * DAY, content: filler });
    const next = () => {
      if (made++ > 340) return null;
      return made === 1
        ? first
        : other.event({ created_at: now() - 10_000 + made, content: filler });
    };
    await publisher.publish(next, 16);
    await until(
      async () => (await use.client.query({ ids: [first.id] })).events.length === 0,
      'room being made',
    );
    // Writes continue during the run.
    const fresh = other.event();
    expect((await use.client.publish(fresh))[2]).toBe(true);
    await until(
      async () => (await use.control.ask<AuditRow[]>('mod.audit')).length > 0,
      'the end of the run',
    );
    const [row] = await use.control.ask<AuditRow[]>('mod.audit');
    expect(row).toMatchObject({ by: 'relay', subject: 'budget' });
    const { events } = await use.client.query({ ids: idsOf([...spared, fresh]) });
    expect(events).toHaveLength(4);
    const counted = (await use.client.count({ authors: [other.pubkey], kinds: [1] }))[2];
    const { count } = counted as { count: number };
    // Half of 16 MiB, at 50 kB of JSON an event and its overhead.
    expect(count).toBeGreaterThan(60);
    expect(count).toBeLessThan(260);
    publisher.socket.terminate();
  });
});

describe('wok mod retention', () => {
  it('shows what would be removed, and removes it', async () => {
    const use = await start({ 'retention.age': ['1=1d'] });
    const author = new Author();
    await use.publish(author.event({ created_at: now() - 2 * DAY }));
    const mod = (what: string) =>
      wokHere(['mod', 'retention', what, '--data', use.relay.directory]);
    expect((await mod('preview')).out).toMatch(/^1=1d {2}1 events .* to .*\n.* are in use\.\n$/);
    expect((await mod('run')).out).toMatch(/^1=1d {2}1 events/);
    expect((await mod('preview')).out).toMatch(/^Nothing would be removed; /);
    expect((await mod('now')).code).toBe(2);
  });

  it('reads valid rules, and refuses others', () => {
    for (const text of ['7=30d', 'regular=1y', '1@members=10y', '0-9@others=90m']) {
      expect([text, retentionRule(text, 'age')]).toMatchObject([text, { text }]);
    }
    for (const text of [
      '7',
      '7=30',
      '7=',
      '=1d',
      'x=1d',
      '7@friends=1d',
      '7@members',
      '70000=1d',
    ]) {
      expect([text, retentionRule(text, 'age')]).toEqual([text, undefined]);
    }
    expect(retentionRule('7=1000', 'count')).toMatchObject({ limit: 1000, authors: 'others' });
    expect(retentionRule('7=10d', 'count')).toBeUndefined();
  });
});
