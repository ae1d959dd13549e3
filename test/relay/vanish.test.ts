// Requests to vanish (NIP-62): their scope, how long they hold, and their resumption after a crash.
// In-process relay over real sockets; the tests read its database, too.

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { accepted, idsOf, refused } from '../support/answers.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { until } from '../support/process.ts';
import { freshDirectory, startRelay, type TestRelay } from '../support/relay.ts';
import { type RelayInUse, useRelay } from '../support/use-relay.ts';

const URL = 'wss://relay.example/nostr';
const SETTINGS = { 'identity.urls': [URL], 'auth.private_kinds': [] };
const NOW = now();

function vanishing(author: Author, relays: string[], created_at = NOW): NostrEvent {
  return author.event({ kind: 62, created_at, tags: relays.map((url) => ['relay', url]) });
}

function wrapFor(author: Author, created_at = NOW - 10): NostrEvent {
  return new Author().event({ kind: 1059, created_at, tags: [['p', author.pubkey]] });
}

/** Returns the row of a request once it is carried out. */
async function finished(relay: TestRelay, id: string): Promise<Record<string, unknown>> {
  const db = new Database(join(relay.directory, 'wok.db'), { readonly: true });
  try {
    const select = db.prepare('SELECT * FROM vanish_request WHERE id = ?');
    const row = () => select.get(id) as Record<string, unknown> | undefined;
    await until(() => (row()?.done_at ?? null) !== null, 'the request to be carried out');
    return row()!;
  } finally {
    db.close();
  }
}

/** Publishes events, and expects that each is accepted. */
async function publish(use: RelayInUse, ...events: NostrEvent[]): Promise<void> {
  for (const event of events) expect(await use.client.publish(event)).toEqual(accepted(event));
}

/** Returns the ids of those of these events that are still stored. */
async function left(use: RelayInUse, events: NostrEvent[]): Promise<string[]> {
  return idsOf((await use.client.query({ ids: idsOf(events) })).events);
}

/** Registers tests of the relays that a request names. */
function addresseeTests(use: RelayInUse): void {
  it.each([
    [['ALL_RELAYS']],
    [[URL]],
    [['https://RELAY.example:443/nostr/']],
    [['wss://elsewhere.example', 'ws://relay.example/nostr']],
  ])('that names %j removes everything up to then, and nothing comes back', async (relays) => {
    const [author, other] = [new Author(), new Author()];
    const old = [
      author.event({ created_at: NOW - 100 }),
      author.event({ kind: 0, created_at: NOW - 90 }),
      author.event({ kind: 30_023, created_at: NOW, tags: [['d', 'x']] }),
      author.deletion([['e', 'a'.repeat(64)]], NOW - 80),
      vanishing(author, ['wss://elsewhere.example'], NOW - 70),
      wrapFor(author),
      wrapFor(author, NOW),
    ];
    const kept = [
      author.event({ created_at: NOW + 1 }),
      wrapFor(author, NOW + 1),
      wrapFor(other),
      other.event({ tags: [['p', author.pubkey]] }),
      other.event({ content: `["p","${author.pubkey}"` }),
    ];
    await publish(use, ...old, ...kept);
    const request = vanishing(author, relays);
    await publish(use, request);
    const row = await finished(use.relay, request.id);
    expect(row).toMatchObject({ pubkey: author.pubkey, until: NOW, removed: old.length });
    expect(await left(use, [...old, ...kept, request])).toEqual(
      expect.arrayContaining(idsOf([...kept, request])),
    );
    expect(await left(use, old)).toEqual([]);
    const count = await use.client.count({ authors: [author.pubkey] });
    expect(count[2]).toEqual({ count: 2 });
    for (const event of old) {
      expect(await use.client.publish(event)).toEqual(refused(event, 'blocked'));
    }
    const ephemeral = author.event({ kind: 20_001, created_at: NOW - 1 });
    expect(await use.client.publish(ephemeral)).toEqual(refused(ephemeral, 'blocked'));
    await publish(use, author.event({ created_at: NOW + 2 }), wrapFor(author, NOW + 2));
  });

  it.each([
    [['wss://elsewhere.example']],
    [['wss://relay.example']],
    [['wss://relay.example/other']],
    [['all_relays']],
    [['wss://relay.example.evil.example/nostr']],
  ])('that names %j is stored and does nothing', async (relays) => {
    const author = new Author();
    const note = author.event({ created_at: NOW - 5 });
    const request = vanishing(author, relays);
    await publish(use, note, request);
    expect(await left(use, [note, request])).toHaveLength(2);
  });
}

describe.each([
  ['in the tail of the log', {}],
  ['in the index', { 'storage.index_batch_events': 1 }],
])('a request to vanish, of what is %s', (_, settings) => {
  const use = useRelay({ ...SETTINGS, ...settings });

  addresseeTests(use);

  it('that names no relay is refused', async () => {
    const request = vanishing(new Author(), []);
    expect(await use.client.publish(request)).toEqual(refused(request, 'invalid'));
  });

  it('cannot be taken back by a deletion, before or after', async () => {
    const author = new Author();
    const request = vanishing(author, ['ALL_RELAYS']);
    await publish(use, author.deletion([['e', request.id]], NOW + 1), request);
    await publish(use, author.deletion([['e', request.id]], NOW + 2));
    expect(await left(use, [request])).toEqual([request.id]);
    const note = author.event({ created_at: NOW });
    expect(await use.client.publish(note)).toEqual(refused(note, 'blocked'));
  });

  it('is done once; a later one reaches further', async () => {
    const author = new Author();
    const first = vanishing(author, [URL], NOW - 100);
    await publish(use, first);
    expect(await use.client.publish(first)).toEqual(accepted(first, 'duplicate'));
    const older = vanishing(author, ['ALL_RELAYS'], NOW - 200);
    expect(await use.client.publish(older)).toEqual(accepted(older, 'duplicate'));
    const note = author.event({ created_at: NOW - 50 });
    await publish(use, note);
    const second = vanishing(author, [URL], NOW - 40);
    await publish(use, second);
    await finished(use.relay, second.id);
    expect(await left(use, [note, first, second])).toEqual(idsOf([second, first]));
  });

  it('leaves a line in the audit log', async () => {
    const author = new Author();
    const request = author.event({
      kind: 62,
      content: 'GDPR, article 17',
      tags: [['relay', 'ALL_RELAYS']],
    });
    await publish(use, request);
    const db = new Database(join(use.relay.directory, 'wok.db'), { readonly: true });
    const rows = db.prepare('SELECT * FROM audit WHERE subject = ?').all(author.pubkey);
    db.close();
    expect(rows).toMatchObject([
      { by: author.pubkey, action: 'vanish', reason: 'GDPR, article 17' },
    ]);
  });
});

it('a request that is half done goes on after a crash, and writes go on meanwhile', async () => {
  // Three times as many events each time, until the request is half done at the crash.
  for (let count = 1_500; !(await isHalfDone(count)); count *= 3);
});

/**
 * Returns true if a request to vanish was half done when the writer died; then it has been resumed.
 */
async function isHalfDone(count: number): Promise<boolean> {
  const directory = freshDirectory();
  let relay = await startRelay(SETTINGS, directory);
  let client = await Client.connect(relay.url);
  const author = new Author();
  const notes = Array.from({ length: count }, (_, n) =>
    author.event({ created_at: NOW - 2 * count + n }),
  );
  for (let at = 0; at < count; at += 750) {
    await Promise.all(notes.slice(at, at + 750).map((note) => client.publish(note)));
  }
  const request = vanishing(author, ['ALL_RELAYS']);
  const other = new Author().event();
  client.send(['EVENT', request]);
  client.send(['EVENT', other]);
  expect(await client.ok(other.id)).toEqual(accepted(other));
  await relay.relay.kill('writer', 0);
  await relay.stop();
  const half = new Database(join(directory, 'wok.db'), { readonly: true });
  const row = half.prepare('SELECT removed, done_at FROM vanish_request').get();
  half.close();
  if ((row as { done_at: number | null }).done_at !== null) return false;
  relay = await startRelay(SETTINGS, directory);
  client = await Client.connect(relay.url);
  // Sent again, the request waits for the end of the first one.
  expect(await client.publish(request)).toEqual(accepted(request, 'duplicate'));
  expect((await client.count({ authors: [author.pubkey] }))[2]).toEqual({ count: 1 });
  expect(await finished(relay, request.id)).toMatchObject({ removed: count });
  expect((await client.query({ authors: [author.pubkey] })).events).toEqual([request]);
  const old = notes[7]!;
  expect(await client.publish(old)).toEqual(refused(old, 'blocked'));
  await relay.stop();
  return true;
}

it('reaches whom the relay does not let write', async () => {
  const relay = await startRelay({
    ...SETTINGS,
    'policy.pubkeys_allowed': [new Author().pubkey],
    'policy.kinds_allowed': ['1'],
  });
  const client = await Client.connect(relay.url);
  const author = new Author();
  const note = author.event();
  expect(await client.publish(note)).toEqual(refused(note, 'restricted'));
  const request = vanishing(author, [URL]);
  expect(await client.publish(request)).toEqual(accepted(request));
  await relay.stop();
});

it('is an event like any other where it is switched off', async () => {
  const relay = await startRelay({ ...SETTINGS, 'identity.vanish': false });
  const client = await Client.connect(relay.url);
  const author = new Author();
  const note = author.event({ created_at: NOW - 5 });
  for (const event of [note, vanishing(author, ['ALL_RELAYS'])]) {
    expect(await client.publish(event)).toEqual(accepted(event));
  }
  expect((await client.query({ ids: [note.id] })).events).toEqual([note]);
  await relay.stop();
});
