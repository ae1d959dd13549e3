// Members of the relay (NIP-43): invites, roles, the relay's own key, and the events and receipts
// that it signs. In-process relay over real sockets and the control socket; `wok invite` as a
// command.

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { schnorr } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { controlSocketFile } from '../../src/paths.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { relaySecret } from '../../src/store/database/relay-key.ts';
import { accepted, closed, refused } from '../support/answers.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { http } from '../support/http.ts';
import { until } from '../support/process.ts';
import {
  freshDirectory,
  type Settings,
  startRelay,
  type TestRelay,
  testConfig,
} from '../support/relay.ts';
import { useRelay } from '../support/use-relay.ts';
import { wok } from '../support/wok.ts';

const MEMBERS: Settings = {
  'membership.enabled': true,
  'identity.urls': ['wss://relay.example', 'ws://127.0.0.1'],
};

/** Sends a request to a relay by its control socket and returns the result. */
function control(relay: TestRelay, method: string, params: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(controlSocketFile(relay.directory));
    let text = '';
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (!text.endsWith('\n')) return;
      socket.destroy();
      const { result, error } = JSON.parse(text) as { result: unknown; error?: Error };
      if (error) reject(new Error(error.message));
      else resolve(result);
    });
    socket.write(`${JSON.stringify({ id: 1, method, params })}\n`);
  });
}

async function invite(relay: TestRelay, params: object = {}): Promise<string> {
  return ((await control(relay, 'invite', params)) as { code: string }).code;
}

async function self(relay: TestRelay): Promise<string> {
  const { body } = await http(relay.httpUrl, { Accept: 'application/nostr+json' });
  return (JSON.parse(body) as { self: string }).self;
}

function join_(author: Author, claim: string, created_at = now()): NostrEvent {
  return author.event({ kind: 28_934, created_at, tags: [['-'], ['claim', claim]] });
}

/**
 * Queries until the stored events are as expected: the relay's own events come a moment later than
 * their cause.
 */
async function eventually(client: Client, filter: object, good: (found: NostrEvent[]) => boolean) {
  let events: NostrEvent[] = [];
  await until(async () => {
    events = (await client.query(filter)).events;
    return good(events);
  }, JSON.stringify(filter));
  return events;
}

const membersOf = (event?: NostrEvent) =>
  (event?.tags ?? []).filter(([name]) => name === 'member').map(([, pubkey]) => pubkey);

describe('the key of the relay', () => {
  it('is written whole, also after a crash, and never over another key', () => {
    const directory = freshDirectory();
    const config = testConfig(directory, MEMBERS);
    const file = join(directory, 'relay.key');
    writeFileSync(`${file}.new`, '', { mode: 0o644 });
    expect(relaySecret(config, false)).toBeNull();
    const made = relaySecret(config, true);
    expect(made).toHaveLength(32);
    expect(readdirSync(directory)).toEqual(['relay.key']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { ino } = statSync(file);
    expect(relaySecret(config, true)).toEqual(made);
    expect(statSync(file).ino).toBe(ino);
  });

  it('is not made where its file cannot be written', () => {
    const directory = freshDirectory();
    mkdirSync(join(directory, 'relay.key.new', 'in the way'), { recursive: true });
    expect(() => relaySecret(testConfig(directory, MEMBERS), true)).toThrow('cannot be used');
    expect(readdirSync(directory)).toEqual(['relay.key.new']);
  });
});

const use = useRelay(MEMBERS);

/** Returns a new author who has joined by an invite. */
async function member(): Promise<Author> {
  const author = new Author();
  const request = join_(author, await invite(use.relay));
  expect(await use.client.publish(request)).toEqual([
    'OK',
    request.id,
    true,
    expect.stringMatching(/^info: welcome/),
  ]);
  return author;
}

describe('a relay with members', () => {
  it('names its own key and NIP-43 in the NIP-11 document', async () => {
    const { body } = await http(use.relay.httpUrl, { Accept: 'application/nostr+json' });
    const document = JSON.parse(body) as Record<string, unknown>;
    expect(document.self).toMatch(/^[0-9a-f]{64}$/);
    expect(document.supported_nips).toContain(43);
    expect(document.limitation).toMatchObject({ restricted_writes: true });
    const file = join(use.relay.directory, 'relay.key');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex');
    expect(Buffer.from(schnorr.getPublicKey(secret)).toString('hex')).toBe(document.self);
  });

  it('takes events of members only, and lists and announces them', async () => {
    const stranger = new Author().event();
    expect(await use.client.publish(stranger)).toEqual(refused(stranger, 'restricted'));
    const author = await member();
    const note = author.event();
    expect(await use.client.publish(note)).toEqual(accepted(note));
    const key = await self(use.relay);
    const [list] = await eventually(use.client, { kinds: [13_534], authors: [key] }, ([found]) =>
      membersOf(found).includes(author.pubkey),
    );
    expect(list!.tags[0]).toEqual(['-']);
    const id = Buffer.from(list!.id, 'hex');
    expect(schnorr.verify(Buffer.from(list!.sig, 'hex'), id, Buffer.from(key, 'hex'))).toBe(true);
    const about = { authors: [key], '#p': [author.pubkey] };
    await eventually(use.client, { ...about, kinds: [8_000] }, ({ length }) => length === 1);
  });

  it('counts allowed keys as members, and refuses banned ones', async () => {
    const author = new Author();
    const listing = { list: 'pubkey', subject: author.pubkey };
    await control(use.relay, 'mod.put', { ...listing, stance: 'allow' });
    const key = await self(use.relay);
    const lists = { kinds: [13_534], authors: [key] };
    await eventually(use.client, lists, ([found]) => membersOf(found).includes(author.pubkey));
    await control(use.relay, 'mod.put', { ...listing, stance: 'ban' });
    const request = join_(author, await invite(use.relay));
    expect(await use.client.publish(request)).toEqual(refused(request, 'restricted'));
    await eventually(use.client, lists, ([found]) => !membersOf(found).includes(author.pubkey));
  });
});

describe('joining by an invite', () => {
  it('is answered with duplicate: for a member', async () => {
    const author = await member();
    const request = join_(author, 'whatever');
    expect(await use.client.publish(request)).toEqual(accepted(request, 'duplicate'));
  });

  it('is neither stored nor delivered', async () => {
    const listener = await use.connect();
    await listener.req('live', { kinds: [28_934, 1] });
    const author = await member();
    const note = author.event();
    await use.client.publish(note);
    expect(await listener.live('live')).toEqual(note);
    expect((await use.client.query({ kinds: [28_934] })).events).toEqual([]);
  });

  it('is refused with an invalid, used or expired code, or one of another relay', async () => {
    const code = await invite(use.relay);
    await use.client.publish(join_(new Author(), code));
    const forged = `${code.startsWith('A') ? 'B' : 'A'}${code.slice(1)}`;
    const old = await invite(use.relay, { uses: 5, expiresAt: now() - 1 });
    for (const claim of ['', 'x', forged, `${code}A`, code, old]) {
      const request = join_(new Author(), claim);
      expect(await use.client.publish(request), claim).toEqual(refused(request, 'restricted'));
    }
    const late = join_(new Author(), await invite(use.relay), now() - 650);
    expect(await use.client.publish(late)).toEqual(refused(late, 'invalid'));
  });

  it('works as often as the invite allows, also for requests at once', async () => {
    const code = await invite(use.relay, { uses: 3 });
    const requests = Array.from({ length: 8 }, () => join_(new Author(), code));
    const answers = await Promise.all(requests.map((request) => use.client.publish(request)));
    expect(answers.filter(([, , ok]) => ok === true)).toHaveLength(3);
  });

  it('is offered to members, who get an invite for another key, and not to other clients', async () => {
    const host = await member();
    expect((await use.client.query({ kinds: [28_935] })).events).toEqual([]);
    const other = await use.connect();
    await other.auth(new Author());
    expect((await other.query({ kinds: [28_935] })).events).toEqual([]);
    await use.client.auth(host);
    const { events, end } = await use.client.query({ kinds: [28_935] });
    expect(end[0]).toBe('EOSE');
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ kind: 28_935, pubkey: await self(use.relay) });
    const claim = events[0]!.tags.find(([name]) => name === 'claim')![1]!;
    const guest = join_(new Author(), claim);
    expect((await use.client.publish(guest))[2]).toBe(true);
    const second = join_(new Author(), claim);
    expect(await use.client.publish(second)).toEqual(refused(second, 'restricted'));
    const again = (await use.client.query({ kinds: [28_935] })).events[0]!;
    expect(again.id).not.toBe(events[0]!.id);
  });
});

describe('leaving and vanishing', () => {
  it('lets an authenticated member leave', async () => {
    const author = await member();
    const leave = author.event({ kind: 28_936, tags: [['-']] });
    expect(await use.client.publish(leave)).toEqual(refused(leave, 'auth-required'));
    await use.client.auth(author);
    const again = author.event({ kind: 28_936, tags: [['-']] });
    expect((await use.client.publish(again))[2]).toBe(true);
    const note = author.event();
    expect(await use.client.publish(note)).toEqual(refused(note, 'restricted'));
    const key = await self(use.relay);
    const about = { authors: [key], kinds: [8_001], '#p': [author.pubkey] };
    await eventually(use.client, about, ({ length }) => length === 1);
    await eventually(use.client, { kinds: [13_534], authors: [key] }, ([found]) => {
      return found !== undefined && !membersOf(found).includes(author.pubkey);
    });
  });

  it('publishes a receipt for a request to vanish', async () => {
    const author = await member();
    const tags = [['relay', 'ALL_RELAYS']];
    const request = author.event({ kind: 62, tags });
    expect(await use.client.publish(request)).toEqual(accepted(request));
    const receipts = { authors: [await self(use.relay)], '#e': [request.id] };
    const [receipt] = await eventually(use.client, receipts, ({ length }) => length === 1);
    expect(JSON.parse(receipt!.content)).toMatchObject({
      request: request.id,
      until: request.created_at,
    });
  });
});

describe('roles of members', () => {
  it('are on the member list until they are unassigned or deleted', async () => {
    const author = await member();
    const key = await self(use.relay);
    const role = (params: object) => control(use.relay, 'mod.role', params);
    const roles = { kinds: [33_534], authors: [key] };
    const lists = { kinds: [13_534], authors: [key] };
    const entryOf = ([list]: NostrEvent[]) =>
      list?.tags.find(([name, pubkey]) => name === 'member' && pubkey === author.pubkey);
    const named = (found: NostrEvent[]) =>
      found.map(({ tags }) => tags.find(([name]) => name === 'd')![1]).sort();
    for (const id of ['king', 'queen']) {
      await role({ do: 'create', id, label: id });
      await role({ do: 'assign', id, pubkey: author.pubkey });
    }
    const whole = JSON.stringify(['member', author.pubkey, 'king', 'queen']);
    await eventually(use.client, lists, (found) => JSON.stringify(entryOf(found)) === whole);
    await eventually(use.client, roles, (found) => named(found).join() === 'king,queen');
    const watcher = await use.connect();
    await watcher.req('deletions', { kinds: [5], authors: [key], limit: 0 });

    await role({ do: 'unassign', id: 'queen', pubkey: author.pubkey });
    await eventually(
      use.client,
      lists,
      (found) => entryOf(found)?.join() === `member,${author.pubkey},king`,
    );
    await role({ do: 'delete', id: 'king' });
    await eventually(use.client, lists, (found) => entryOf(found)?.length === 2);
    await eventually(use.client, roles, (found) => named(found).join() === 'queen');
    // Clients that have the role event are told of its deletion.
    const deletion = await watcher.live('deletions');
    expect(deletion.tags).toContainEqual(['a', `33534:${key}:king`]);
    expect(deletion.pubkey).toBe(key);

    // The role may come again, even in the same second.
    await role({ do: 'create', id: 'king', label: 'another' });
    const [again] = await eventually(
      use.client,
      { ...roles, '#d': ['king'] },
      ({ length }) => length === 1,
    );
    expect(again!.tags).toContainEqual(['label', 'another']);
    for (const id of ['king', 'queen']) await role({ do: 'delete', id });
    await eventually(use.client, roles, ({ length }) => length === 0);
  });
});

it('makes invites that are valid for a week, or as long as --days says', async () => {
  const directory = freshDirectory();
  const relay = await startRelay(MEMBERS, directory);
  const made = async (...flags: string[]) => {
    const before = now();
    const ran = await wok(['invite', '--data', directory, '--json', ...flags]);
    const { expiresAt, ...rest } = JSON.parse(ran.out) as { expiresAt: number; uses: number };
    const days = expiresAt === 0 ? 0 : (expiresAt - before) / 86_400;
    return { ...rest, days: Math.round(days * 100) / 100 };
  };
  const code = expect.stringMatching(/^[\w-]{35}$/);
  expect(await made()).toEqual({ code, uses: 1, days: 7 });
  expect(await made('--days', '30', '--uses', '5')).toEqual({ code, uses: 5, days: 30 });
  expect(await made('--days', '0')).toEqual({ code, uses: 1, days: 0 });
  await relay.stop();
});

it('answers only members with membership.restrict_reads', async () => {
  const relay = await startRelay({ ...MEMBERS, 'membership.restrict_reads': true });
  const client = await Client.connect(relay.url);
  expect((await client.query({ kinds: [1] })).end).toEqual(closed('query-1', 'auth-required'));
  const author = new Author();
  await client.auth(author);
  expect((await client.query({ kinds: [1] })).end).toEqual(closed('query-2', 'restricted'));
  await client.publish(join_(author, await invite(relay)));
  expect((await client.query({ kinds: [1] })).end[0]).toBe('EOSE');
  await relay.stop();
});

it('keeps members, key and used invites over a restart', async () => {
  const directory = freshDirectory();
  let relay = await startRelay(MEMBERS, directory);
  let client = await Client.connect(relay.url);
  const [code, author, key] = [await invite(relay), new Author(), await self(relay)];
  await client.publish(join_(author, code));
  await relay.stop();
  relay = await startRelay(MEMBERS, directory);
  client = await Client.connect(relay.url);
  await eventually(client, { authors: [key], kinds: [13_534] }, ([found]) =>
    membersOf(found).includes(author.pubkey),
  );
  expect(await self(relay)).toBe(key);
  const note = author.event();
  expect(await client.publish(note)).toEqual(accepted(note));
  const second = join_(new Author(), code);
  expect(await client.publish(second)).toEqual(refused(second, 'restricted'));
  await relay.stop();
});

it('takes the key from the file that is named, as nsec or hex', async () => {
  const directory = freshDirectory();
  const file = join(directory, 'secret');
  // Example of NIP-19.
  writeFileSync(file, 'nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5\n');
  const relay = await startRelay({ ...MEMBERS, 'identity.secret_key_file': file });
  const secret = Buffer.from(
    '67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa',
    'hex',
  );
  expect(await self(relay)).toBe(Buffer.from(schnorr.getPublicKey(secret)).toString('hex'));
  await relay.stop();
});
