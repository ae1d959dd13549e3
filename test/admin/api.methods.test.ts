// Every RPC method of the page /admin: its effect, one bad input each, and the rights of
// moderators. In-process relay, by the page's API; RetentionTasks as a unit.

import { nip19 } from 'nostr-tools';
import { generateSecretKey, getPublicKey } from 'nostr-tools/pure';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import type { Pass } from '../../src/retention/pass.ts';
import type { Retention } from '../../src/retention/retention.ts';
import { RetentionTasks } from '../../src/retention/task.ts';
import type { PageMethod } from '../../src/web/api/api.ts';
import type { RetentionTask } from '../../src/web/api/config.ts';
import type { Queued } from '../../src/web/api/moderation.ts';
import { AdminPage } from '../support/admin-page.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { until } from '../support/process.ts';
import { startRelay, type TestRelay } from '../support/relay.ts';

const DAY = 86_400;
const SPAM = { tags: Array.from({ length: 9 }, () => ['t', 'spam']) };
const [adminKey, moderatorKey] = [1, 2].map(() => generateSecretKey()) as [Uint8Array, Uint8Array];
const [adminPubkey, moderatorPubkey] = [getPublicKey(adminKey), getPublicKey(moderatorKey)];
let relay: TestRelay;
let client: Client;
let admin: AdminPage;
let moderator: AdminPage;

beforeAll(async () => {
  relay = await startRelay({
    'admin.pubkeys': [adminPubkey],
    'admin.moderators': [moderatorPubkey],
    'membership.enabled': true,
    'membership.restrict_writes': false,
    'spam.mode': 'enforce',
    'spam.points': ['new-key 0'],
    'spam.quarantine_points': 10,
    'spam.reject_points': 0,
    'storage.index_delay_milliseconds': 10,
    'retention.age': ['1=30d', '7=10d'],
    'retention.interval_seconds': 600_000,
  });
  client = await Client.connect(relay.url);
  admin = await AdminPage.open(relay.httpUrl, adminKey);
  moderator = await AdminPage.open(relay.httpUrl, moderatorKey);
});
afterAll(async () => {
  client.socket.terminate();
  await relay.stop();
});

async function publish(event: NostrEvent): Promise<NostrEvent> {
  expect((await client.publish(event)).slice(2)).toEqual([true, '']);
  return event;
}

/** Makes a report about an event, which names its author, too. */
function report(by: Author, event: NostrEvent, type = 'spam', content = ''): NostrEvent {
  const tags = [
    ['e', event.id, type],
    ['p', event.pubkey],
  ];
  return by.event({ kind: 1984, tags, content });
}

async function queued(page: AdminPage, target: string): Promise<Queued | undefined> {
  const { items } = await page.ask('mod.queue', { limit: 100 });
  return items.find((item) => item.target === target);
}

/** Waits until the index has everything that is stored. */
async function indexed(): Promise<void> {
  const began = Date.now();
  await until(async () => {
    const { at, storage } = await admin.ask('dashboard');
    // One answer is served for a second.
    return at >= began && storage.head > 0 && storage.head === storage.indexed;
  }, 'the index');
}

/** For each method, parameters that it carries out, and parameters that it does not understand. */
const CASES: Readonly<Record<PageMethod, { good: () => unknown; bad: unknown }>> = {
  session: { good: () => undefined, bad: undefined },
  dashboard: { good: () => ({}), bad: { since: 'yesterday' } },
  connections: { good: () => ({}), bad: { limit: 1 } },
  slow: { good: () => ({ limit: 5 }), bad: { limit: 0 } },
  'mod.queue': { good: () => ({}), bad: { limit: 101 } },
  'mod.report': { good: () => ({ target: 'a'.repeat(64) }), bad: { target: 'a' } },
  'mod.dismiss': { good: () => ({ target: 'a'.repeat(64) }), bad: {} },
  'mod.held': { good: () => ({}), bad: { after: 'x' } },
  'mod.release': { good: () => ({ subject: 'a'.repeat(64) }), bad: { subject: '' } },
  'mod.discard': { good: () => ({ subject: 'a'.repeat(64) }), bad: { subject: 7 } },
  'mod.listed': {
    good: () => ({ list: 'pubkey', stance: 'ban' }),
    bad: { list: 'pubkey', stance: 'both' },
  },
  'mod.put': {
    good: () => ({ list: 'pubkey', subject: new Author().pubkey, stance: 'ban' }),
    bad: { list: 'pubkey', subject: 'me', stance: 'ban' },
  },
  'mod.take': {
    good: () => ({ list: 'pubkey', subject: new Author().pubkey, stance: 'ban' }),
    bad: { list: 'event', subject: 'x', stance: 'ban' },
  },
  'mod.remove': {
    good: () => ({ what: 'event', subject: new Author().event().id }),
    bad: { what: 'everything', subject: '' },
  },
  'mod.audit': { good: () => ({}), bad: { before: 0 } },
  'mod.about': { good: () => ({ pubkey: new Author().pubkey }), bad: { pubkey: 'x' } },
  'mod.roles': { good: () => ({}), bad: { id: 'x' } },
  'mod.role': { good: () => ({ do: 'create', id: `r${Math.random()}` }), bad: { do: 'x' } },
  invite: { good: () => ({}), bad: { uses: 0 } },
  'mod.describe': {
    good: () => ({ what: 'description', text: 'new' }),
    bad: { what: 'icon', text: 'no address' },
  },
  search: { good: () => ({}), bad: { limit: -1 } },
  why: { good: () => ({ id: 'a'.repeat(64) }), bad: { id: 'x' } },
  config: { good: () => ({}), bad: { key: 'x' } },
  'config.compare': { good: () => ({}), bad: { key: 'x' } },
  reload: { good: () => ({}), bad: { key: 'x' } },
  peers: { good: () => ({}), bad: { name: 'x' } },
  'retention.task': { good: () => ({ do: 'show' }), bad: { do: 'undo' } },
};
const FOR_ADMINS: readonly PageMethod[] = [
  'connections',
  'slow',
  'mod.roles',
  'mod.role',
  'invite',
  'mod.describe',
  'config',
  'config.compare',
  'reload',
  'peers',
  'retention.task',
];
/**
 * Methods that a relay inside of a test refuses; admin/api.config has one in its own process.
 */
const OF_THE_PROCESS: readonly PageMethod[] = ['config.compare', 'reload'];

describe('RPC methods', () => {
  const methods = Object.keys(CASES) as PageMethod[];

  it('are those that the session lists', async () => {
    expect((await admin.session()).methods.sort()).toEqual([...methods].sort());
    const theirs = methods.filter((method) => !FOR_ADMINS.includes(method));
    expect((await moderator.session()).methods.sort()).toEqual(theirs.sort());
  });

  it.each(methods)('%s works for an admin', async (method) => {
    const answer = await admin.answer(method, CASES[method].good());
    if (OF_THE_PROCESS.includes(method)) {
      expect(answer).toMatchObject({ status: 409, body: { error: { kind: 'refused' } } });
    } else expect(answer, answer.text).toMatchObject({ status: 200 });
  });

  it.each(methods)('%s works for moderators, or is refused to them', async (method) => {
    const answer = await moderator.answer(method, CASES[method].good());
    if (FOR_ADMINS.includes(method)) {
      expect(answer).toMatchObject({ status: 403, body: { error: { kind: 'forbidden' } } });
      expect(answer.text).toContain('for admins only');
    } else expect(answer, answer.text).toMatchObject({ status: 200 });
  });

  it.each(methods.filter((method) => CASES[method].bad !== undefined))(
    '%s refuses bad parameters',
    async (method) => {
      const answer = await admin.answer(method, CASES[method].bad);
      expect(answer).toMatchObject({ status: 400, body: { error: { kind: 'usage' } } });
    },
  );

  it.each(methods)('%s needs a session', async (method) => {
    const answer = await new AdminPage(relay.httpUrl).answer(method, CASES[method].good());
    expect(answer).toMatchObject({ status: 401, body: { error: { kind: 'unauthenticated' } } });
  });
});

describe('a moderator', () => {
  it.each([
    ['mod.listed', { list: 'ip', stance: 'ban' }],
    ['mod.listed', { list: 'kind', stance: 'allow' }],
    ['mod.put', { list: 'ip', subject: '192.0.2.1', stance: 'ban' }],
    ['mod.put', { list: 'kind', subject: '7', stance: 'ban' }],
    ['mod.put', { list: ['pubkey'], subject: '7', stance: 'ban' }],
    ['mod.take', { list: 'ip', subject: '192.0.2.1', stance: 'ban' }],
  ])('may not %s %o', async (method, params) => {
    const answer = await moderator.answer(method, params);
    expect([400, 403]).toContain(answer.status);
    if (typeof params.list === 'string') expect(answer.status).toBe(403);
  });

  it('removes all of an author only where NIP-86 would do it for them', async () => {
    const own = await startRelay({
      'admin.moderators': [moderatorPubkey],
      'moderation.ban_removes': false,
    });
    try {
      const page = await AdminPage.open(own.httpUrl, moderatorKey);
      const subject = new Author().pubkey;
      const ban = { list: 'pubkey', subject, stance: 'ban' };
      expect((await page.answer('mod.put', { ...ban, remove: true })).status).toBe(403);
      expect((await page.answer('mod.remove', { what: 'author', subject })).status).toBe(403);
      expect((await page.answer('mod.put', ban)).status).toBe(200);
    } finally {
      await own.stop();
    }
    const event = await publish(new Author().event());
    const { removed } = await moderator.ask('mod.put', {
      list: 'pubkey',
      subject: event.pubkey,
      stance: 'ban',
      remove: true,
    });
    expect(removed).toBe(1);
  });

  it('sees no address in the audit log', async () => {
    await admin.ask('mod.put', { list: 'ip', subject: '192.0.2.77', stance: 'ban' });
    await admin.ask('mod.take', { list: 'ip', subject: '192.0.2.77', stance: 'ban' });
    const actions = async (page: AdminPage) =>
      (await page.ask('mod.audit', { limit: 1000 })).map(({ action }) => action);
    expect(await actions(admin)).toContain('unban ip');
    const theirs = await actions(moderator);
    expect(theirs).toContain('log in');
    expect(theirs.filter((action) => action.endsWith(' ip'))).toEqual([]);
    expect(await moderator.ask('mod.audit', { subject: '192.0.2.77' })).toEqual([]);
  });
});

describe('dashboard', () => {
  it('tells what happens, with samples behind a moment', async () => {
    const from = Date.now();
    const sent = new Set<string>();
    await until(async () => {
      const event = await publish(new Author().event());
      sent.add(event.id);
      await client.query({ ids: [event.id] });
      const { rates, latencies } = await admin.ask('dashboard');
      const eose = latencies.find(({ name }) => name === 'eose')!;
      return (rates.events.stored ?? 0) > 0 && eose.p99 !== null;
    }, 'figures of what was just done');
    const found = await admin.ask('dashboard');
    expect(found).toMatchObject({
      process: { pid: process.pid, node: process.version },
      health: { healthy: true, reason: 'ok' },
      connections: { open: 1, max: 10_000 },
    });
    expect(found.process.residentBytes).toBeGreaterThan(10_000_000);
    expect(found.process.cpu).toBeGreaterThan(0);
    expect(found.storage.databaseBytes).toBeGreaterThan(0);
    expect(found.storage.diskFreeBytes).toBeGreaterThan(0);
    expect(found.threads.map(({ station }) => station)).toEqual(
      expect.arrayContaining(['io', 'ingester', 'writer', 'query', 'monitor', 'admin']),
    );
    expect(found.queues.map(({ station }) => station)).toEqual(
      expect.arrayContaining(['ingester', 'writer', 'query']),
    );
    const ok = found.latencies.find(({ name }) => name === 'ok')!;
    expect(ok.p50).toBeGreaterThan(0);
    expect(ok.p99).toBeGreaterThanOrEqual(ok.p50!);
    await until(async () => (await admin.ask('dashboard')).history.at.length >= 2, 'two samples');
    const { history } = await admin.ask('dashboard');
    expect(history).toMatchObject({ stepSeconds: 5, keptSeconds: 3600 });
    expect(history.at[0]).toBeGreaterThan(from - 60_000);
    for (const values of Object.values(history.series)) {
      expect(values).toHaveLength(history.at.length);
    }
    const behind = await admin.ask('dashboard', { since: history.at.at(-2)! });
    expect(behind.history.at[0]).toBe(history.at.at(-1));
    const last = behind.history.at.at(-1)!;
    expect((await admin.ask('dashboard', { since: last + 60_000 })).history.at).toEqual([]);
  });

  it('is made at most once a second, however many ask', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => admin.ask('dashboard', { since: Date.now() })),
    );
    const moments = new Set(answers.map(({ at }) => at));
    const [first, last] = [Math.min(...moments), Math.max(...moments)];
    expect(moments.size).toBeLessThanOrEqual(2 + (last - first) / 1000);
  });

  it('counts reports and quarantined events that wait', async () => {
    const event = await publish(new Author().event());
    await publish(report(new Author(), event));
    await client.publish(new Author().event(SPAM));
    await until(async () => {
      const { waiting } = await admin.ask('dashboard');
      return waiting.reported > 0 && waiting.quarantined > 0;
    }, 'both');
  });

  it('shows the top connections', async () => {
    await until(async () => {
      await client.query({ ids: ['0'.repeat(64)] });
      return (await admin.ask('connections')).some(({ ip, messages }) => ip !== '' && messages > 0);
    }, 'the connection');
  });
});

describe('reports', () => {
  it('are listed with the event and its author until they are dismissed', async () => {
    const [author, reporter, second] = [new Author(), new Author(), new Author()];
    const [old, event] = [
      await publish(author.event({ created_at: now() - 5000 })),
      await publish(author.event({ content: 'an awful thing' })),
    ];
    await publish(report(reporter, event, 'spam', 'look at this'));
    await publish(report(second, event, 'illegal'));
    const item = (await queued(moderator, event.id))!;
    expect(item).toMatchObject({
      isEvent: true,
      reports: 2,
      types: ['illegal', 'spam'],
      event,
      author: {
        pubkey: author.pubkey,
        events: 2,
        more: false,
        oldestAt: old.created_at,
        newestAt: event.created_at,
        listed: [],
        roles: [],
      },
    });
    expect(Math.abs(item.author.firstSeenAt! - now())).toBeLessThan(600);
    const rows = await moderator.ask('mod.report', { target: event.id });
    expect(rows.find(({ reporter: by }) => by === reporter.pubkey)).toMatchObject({
      type: 'spam',
      content: 'look at this',
    });
    // The same once the index has it.
    await indexed();
    expect((await queued(admin, event.id))!.author).toMatchObject({
      events: 2,
      oldestAt: old.created_at,
    });
    await moderator.ask('mod.dismiss', { target: event.id, reason: 'harmless' });
    expect(await queued(moderator, event.id)).toBeUndefined();
    const [row] = await admin.ask('mod.audit', { subject: event.id });
    expect(row).toMatchObject({
      by: moderatorPubkey,
      action: 'dismiss reports',
      reason: 'harmless',
    });
  });

  it('about a key, and about private events, whose text moderators do not see', async () => {
    const [author, reporter] = [new Author(), new Author()];
    const person = await publish(
      reporter.event({ kind: 1984, tags: [['p', author.pubkey, 'impersonation']] }),
    );
    expect(await queued(moderator, author.pubkey)).toMatchObject({
      isEvent: false,
      event: null,
      author: { pubkey: author.pubkey, events: 0, oldestAt: null, firstSeenAt: null, reports: 1 },
    });
    expect(person.kind).toBe(1984);
    const secret = await publish(
      author.event({ kind: 4, tags: [['p', reporter.pubkey]], content: 'psst' }),
    );
    await publish(report(reporter, secret));
    expect((await queued(admin, secret.id))!.event).toEqual(secret);
    const theirs = (await queued(moderator, secret.id))!;
    expect(theirs.event).toBeNull();
    expect(theirs.author.pubkey).toBe(author.pubkey);
    const text = JSON.stringify(await moderator.ask('mod.queue', { limit: 100 }));
    expect(text).not.toContain('psst');
  });
});

describe('the report queue', () => {
  it('is paged to the end', async () => {
    const events: NostrEvent[] = [];
    for (let i = 0; i < 7; i++) {
      const event = await publish(new Author().event());
      await publish(report(new Author(), event));
      events.push(event);
    }
    const seen: string[] = [];
    for (let offset: number | null = 0; offset !== null; ) {
      const page: { items: Queued[]; next: number | null } = await admin.ask('mod.queue', {
        offset,
        limit: 3,
      });
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items.map(({ target }) => target));
      offset = page.next;
    }
    expect(new Set(seen).size).toBe(seen.length);
    for (const { id } of events) expect(seen).toContain(id);
  });
});

describe('quarantine', () => {
  it('is paged, and moderators release and discard its events', async () => {
    const authors = Array.from({ length: 5 }, () => new Author());
    const held = authors.map((author) => author.event(SPAM));
    for (const event of held) await client.publish(event);
    const seen: string[] = [];
    for (let after: string | null = ''; after !== null; ) {
      const page: { items: { id: string }[]; next: string | null } = await moderator.ask(
        'mod.held',
        { after, limit: 2 },
      );
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
    }
    expect(new Set(seen).size).toBe(seen.length);
    for (const { id } of held) expect(seen).toContain(id);
    const { items } = await moderator.ask('mod.held', { limit: 100 });
    const item = items.find(({ id }) => id === held[0]!.id)!;
    expect(item).toMatchObject({ event: held[0], pubkey: authors[0]!.pubkey });
    expect(item.why).toContain('hashtags');
    expect((await admin.ask('mod.about', { pubkey: authors[0]!.pubkey })).held).toBe(1);
    expect(await moderator.ask('mod.release', { subject: held[0]!.id })).toEqual({ events: 1 });
    expect(await moderator.ask('mod.discard', { subject: authors[1]!.pubkey })).toEqual({
      events: 1,
    });
    const stored = await client.query({ ids: [held[0]!.id, held[1]!.id] });
    expect(stored.events.map(({ id }) => id)).toEqual([held[0]!.id]);
    expect((await moderator.ask('why', { id: nip19.noteEncode(held[1]!.id) })).stored).toBeNull();
  });
});

describe('lists', () => {
  it('are changed with effect at once, and name who changed them', async () => {
    const author = new Author();
    await moderator.ask('mod.put', {
      list: 'pubkey',
      subject: nip19.npubEncode(author.pubkey),
      stance: 'ban',
      reason: 'a nuisance',
      expiresAt: now() + 3600,
    });
    expect((await client.publish(author.event()))[2]).toBe(false);
    const found = await admin.ask('mod.listed', {
      list: 'pubkey',
      stance: 'ban',
      find: nip19.npubEncode(author.pubkey),
    });
    expect(found.rows).toMatchObject([
      { subject: author.pubkey, by: moderatorPubkey, reason: 'a nuisance', stance: 'ban' },
    ]);
    expect((await admin.ask('mod.about', { pubkey: author.pubkey })).listed).toEqual(found.rows);
    const take = { list: 'pubkey', subject: author.pubkey, stance: 'ban' } as const;
    expect(await moderator.ask('mod.take', take)).toEqual({ taken: true });
    expect(await moderator.ask('mod.take', take)).toEqual({ taken: false });
    expect((await client.publish(author.event()))[2]).toBe(true);
    const event = await publish(author.event());
    await moderator.ask('mod.put', {
      list: 'event',
      subject: nip19.neventEncode({ id: event.id }),
      stance: 'ban',
    });
    expect((await client.query({ ids: [event.id] })).events).toEqual([]);
    const actions = (await admin.ask('mod.audit', { subject: author.pubkey })).map(
      ({ action, by }) => `${action} ${by}`,
    );
    expect(actions).toEqual([`unban pubkey ${moderatorPubkey}`, `ban pubkey ${moderatorPubkey}`]);
  });

  it('are paged in the order of their subjects, of all or of what is looked for', async () => {
    const networks = Array.from({ length: 25 }, (_, i) => `198.51.100.${i}`);
    for (const [i, subject] of networks.entries()) {
      const reason = i % 5 === 0 ? 'Scanner' : 'flood';
      await admin.ask('mod.put', { list: 'ip', subject, stance: 'ban', reason });
    }
    const pages = async (find: string) => {
      const subjects: string[] = [];
      for (let after: string | null = ''; after !== null; ) {
        const page: { rows: { subject: string }[]; next: string | null; total: number } =
          await admin.ask('mod.listed', { list: 'ip', stance: 'ban', find, after, limit: 4 });
        expect(page.rows.length).toBeLessThanOrEqual(4);
        expect(page.total).toBe(25);
        subjects.push(...page.rows.map(({ subject }) => subject));
        after = page.next;
      }
      return subjects;
    };
    expect(await pages('')).toEqual([...networks].sort());
    expect(await pages('scanner')).toEqual(networks.filter((_, i) => i % 5 === 0).sort());
    expect(await pages('100.2')).toEqual(networks.filter((one) => one.includes('100.2')).sort());
    expect(await pages('nothing like it')).toEqual([]);
  });

  it('keep admins off them', async () => {
    const ban = { list: 'pubkey', subject: adminPubkey, stance: 'ban' };
    const answer = await moderator.answer('mod.put', ban);
    expect(answer).toMatchObject({ status: 409, body: { error: { kind: 'refused' } } });
  });
});

describe('a public key', () => {
  it('has roles and a number of stored events', async () => {
    expect((await admin.ask('mod.about', { pubkey: adminPubkey })).roles).toEqual(['admin']);
    const member = new Author();
    await admin.ask('mod.role', { do: 'create', id: 'queen', label: 'Queen' });
    await admin.ask('mod.role', { do: 'assign', id: 'queen', pubkey: member.pubkey });
    const roles = await admin.ask('mod.roles');
    expect(roles.find(({ id }) => id === 'queen')).toMatchObject({
      label: 'Queen',
      members: [member.pubkey],
    });
    await publish(member.event());
    expect(await admin.ask('mod.about', { pubkey: member.pubkey })).toMatchObject({
      roles: ['queen'],
      events: 1,
    });
    expect((await admin.answer('mod.role', { do: 'create', id: 'queen' })).status).toBe(409);
    const { code } = await admin.ask('invite', { uses: 2 });
    expect(code).toMatch(/^[\w-]{35}$/);
    expect(await admin.ask('mod.describe', { what: 'name', text: 'renamed' })).toMatchObject({
      name: 'renamed',
    });
    expect((await admin.session()).relay.name).toBe('renamed');
    const rows = await admin.ask('mod.audit', { by: adminPubkey, limit: 50 });
    expect(rows.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['change info.name', 'invite', 'assign role queen', 'create role']),
    );
  });
});

describe('the audit log', () => {
  it('is paged to the end', async () => {
    const seen: number[] = [];
    for (let before: number | undefined; ; ) {
      const rows = await admin.ask('mod.audit', { limit: 9, ...(before && { before }) });
      if (rows.length === 0) break;
      seen.push(...rows.map(({ n }) => n));
      before = rows.at(-1)!.n;
    }
    expect(seen).toEqual([...seen].sort((a, b) => b - a));
    expect(new Set(seen).size).toBe(seen.length);
    const all = await admin.ask('mod.audit', { limit: 10_000 });
    expect(all.map(({ n }) => n)).toEqual(seen);
  });
});

describe('retention', () => {
  const ended = async (): Promise<RetentionTask> => {
    let task: RetentionTask | null = null;
    await until(async () => {
      task = await admin.ask('retention.task', { do: 'show' });
      return task?.state !== 'running';
    }, 'the end of the task');
    return task!;
  };

  it('shows what would go, removes it, and tells how far it is', async () => {
    const author = new Author();
    const aged = (days: number, kind: number) =>
      author.event({ created_at: now() - days * DAY, kind });
    const gone = [aged(40, 1), aged(50, 1), aged(20, 7)];
    const stays = [aged(20, 1), aged(5, 7)];
    for (const event of [...gone, ...stays]) await publish(event);
    await indexed();
    const begun = await admin.ask('retention.task', { do: 'preview' });
    expect(begun).toMatchObject({ what: 'preview', error: '' });
    const preview = await ended();
    expect(preview).toMatchObject({ what: 'preview', state: 'done', report: { events: 3 } });
    expect(preview.looked).toBeGreaterThan(0);
    expect(preview.endedAt).toBeGreaterThanOrEqual(preview.startedAt);
    const ones = preview.report.rules.find(({ rule }) => rule === '1=30d')!;
    expect(ones).toMatchObject({ events: 2, oldest: gone[1]!.created_at });
    expect((await client.query({ authors: [author.pubkey] })).events).toHaveLength(5);
    await admin.ask('retention.task', { do: 'run' });
    expect(await ended()).toMatchObject({ what: 'run', state: 'done', report: { events: 3 } });
    const { events } = await client.query({ authors: [author.pubkey] });
    expect(events.map(({ id }) => id).sort()).toEqual(stays.map(({ id }) => id).sort());
    const [row] = await admin.ask('mod.audit', { subject: '1=30d' });
    expect(row).toMatchObject({ by: adminPubkey, action: 'retention' });
    expect(await admin.ask('retention.task', { do: 'stop' })).toMatchObject({ state: 'done' });
  });
});

describe('a task of retention', () => {
  /** Makes retention tasks on a fake context: each pass goes on until `goOn` is called. */
  function withTask() {
    let goOn: () => void = () => {};
    const passes: Pass[] = [];
    const work = (pass: Pass) => {
      passes.push(pass);
      return new Promise<void>((resolve) => {
        goOn = resolve;
      });
    };
    const retention = { preview: work, run: (_by: string, pass: Pass) => work(pass) };
    const clock = { seconds: () => 1, milliseconds: () => 0 };
    const tasks = new RetentionTasks({ retention: retention as unknown as Retention, clock });
    return { tasks, pass: () => passes.at(-1)!, goOn: () => goOn() };
  }

  it('is one at a time, shows its progress, and can be stopped', async () => {
    const { tasks, pass, goOn } = withTask();
    expect(tasks.show()).toBeNull();
    expect(tasks.begin('preview', 'me')).toMatchObject({ state: 'running', looked: 0 });
    expect(() => tasks.begin('run', 'me')).toThrow(/is running; stop it first/);
    pass().looked = 4000;
    pass().totals.set('x', { rule: 'x', events: 3, bytes: 9, oldest: 1, newest: 2 });
    expect(tasks.show()).toMatchObject({ looked: 4000, report: { events: 3, bytes: 9 } });
    expect(pass().goesOn()).toBe(true);
    expect(tasks.stop()).toMatchObject({ state: 'running' });
    expect(pass().goesOn()).toBe(false);
    goOn();
    await until(() => tasks.show()!.state !== 'running', 'the end');
    expect(tasks.show()).toMatchObject({ state: 'stopped', endedAt: 1, report: { events: 3 } });
    expect(tasks.begin('run', 'me')).toMatchObject({ what: 'run', state: 'running' });
  });

  it('is ended if it is a preview that is not asked for any more', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const { tasks, pass, goOn } = withTask();
      tasks.begin('preview', 'me');
      vi.advanceTimersByTime(59_000);
      expect(pass().goesOn()).toBe(true);
      tasks.show();
      vi.advanceTimersByTime(59_000);
      expect(pass().goesOn()).toBe(true);
      vi.advanceTimersByTime(2_000);
      expect(pass().goesOn()).toBe(false);
      goOn();
      const other = withTask();
      other.tasks.begin('run', 'me');
      vi.advanceTimersByTime(600_000);
      expect(other.pass().goesOn()).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});
