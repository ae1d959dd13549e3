// Tests of authentication (NIP-42), and of the requests that need it, against a real relay over
// WebSocket.

import { describe, expect, it, vi } from 'vitest';
import type { Connection } from '../../../src/io/connection.ts';
import { PendingChallenges } from '../../../src/io/pending-challenges.ts';
import { accepted, refused } from '../../support/answers.ts';
import { Author, now } from '../../support/author.ts';
import { Client } from '../../support/client.ts';
import { http } from '../../support/http.ts';
import { type RelayInUse, useRelay } from '../../support/use-relay.ts';

const PUBLIC = 'wss://relay.example/nostr';

/** Sends an AUTH that is valid except for the draft; returns its OK. */
async function answer(
  use: RelayInUse,
  relay: string,
  draft: Parameters<Author['event']>[0] = {},
  author = new Author(),
) {
  const challenge = await use.client.challenge();
  return use.client.authenticate(author.auth(challenge, relay, draft));
}

/** Registers tests of challenges, and of the addresses that name the relay. */
function challengeTests(use: RelayInUse): void {
  it('begins with a challenge that is the first message, another one on every connection', async () => {
    const clients = await Promise.all([use.connect(), use.connect(), use.connect()]);
    const challenges = await Promise.all(clients.map((client) => client.challenge()));
    expect(new Set(challenges).size).toBe(3);
    for (const challenge of challenges) expect(challenge).toMatch(/^[0-9a-f]{32}$/);
    for (const client of clients) await client.sync();
    for (const { challenges } of clients) expect(challenges).toHaveLength(1);
  });

  it.each([
    PUBLIC,
    'wss://relay.example',
    'wss://relay.example/',
    'ws://relay.example',
    'WSS://Relay.Example/NOSTR/',
    'https://relay.example:8443/some/path',
    'relay.example',
    'wss://relay.example.',
    'wss://other.example/',
  ])('names the relay by its host: %s', async (relay) => {
    expect((await answer(use, relay))[2]).toBe(true);
  });

  it.each([
    'wss://relay.example.evil.example',
    'wss://evil.example/relay.example',
    '',
    '://',
    '127.0.0.1',
  ])('does not name it by "%s"', async (relay) => {
    expect((await answer(use, relay)).slice(2)).toEqual([
      false,
      expect.stringMatching(/^invalid: /),
    ]);
  });
}

/** Registers tests of the AUTH events that are taken or refused. */
function validityTests(use: RelayInUse): void {
  it.each([
    ['another kind', { kind: 1 }],
    ['too old', { created_at: now() - 7000 }],
    ['from the future', { created_at: now() + 7000 }],
    ['without a relay', { tags: [] }],
    [
      'with another challenge',
      {
        tags: [
          ['relay', PUBLIC],
          ['challenge', '0'.repeat(32)],
        ],
      },
    ],
    [
      'with an empty challenge',
      {
        tags: [
          ['relay', PUBLIC],
          ['challenge', ''],
        ],
      },
    ],
  ])('is refused: %s', async (_, draft) => {
    expect((await answer(use, PUBLIC, draft)).slice(2)).toEqual([
      false,
      expect.stringMatching(/^invalid: /),
    ]);
  });

  it('is taken some minutes early or late', async () => {
    for (const created_at of [now() - 300, now() + 590]) {
      expect((await answer(use, PUBLIC, { created_at }))[2]).toBe(true);
    }
  });

  it('with a wrong signature or id is refused, and answered by its id', async () => {
    const author = new Author();
    const event = author.auth(await use.client.challenge(), PUBLIC);
    const forged = { ...event, sig: new Author().sign(event.id) };
    expect(await use.client.authenticate(forged)).toEqual(refused(event, 'invalid'));
    const other = { ...event, id: 'a'.repeat(64) };
    expect(await use.client.authenticate(other)).toEqual(refused(other, 'invalid'));
    const stolen = { ...event, pubkey: new Author().pubkey };
    expect(await use.client.authenticate(stolen)).toEqual(refused(event, 'invalid'));
    const own = author.event({ tags: [['-']] });
    expect(await use.client.publish(own)).toEqual(refused(own, 'auth-required'));
  });
}

/** Registers tests of an AUTH on its connection. */
function connectionTests(use: RelayInUse): void {
  it('counts again on its connection, as libraries send it, and on no other', async () => {
    const author = new Author();
    const event = author.auth(await use.client.challenge(), PUBLIC);
    // All at once, because libraries send an AUTH for each of several rejections.
    for (let i = 0; i < 50; i++) use.client.send(['AUTH', event]);
    for (let i = 0; i < 50; i++) expect(await use.client.ok(event.id)).toEqual(accepted(event));
    const later = author.auth(await use.client.challenge(), PUBLIC, {
      created_at: event.created_at + 1,
    });
    for (const again of [later, event]) {
      expect(await use.client.authenticate(again)).toEqual(accepted(again));
    }
    const forged = { ...author.auth(await use.client.challenge(), PUBLIC, { content: 'x' }) };
    forged.sig = new Author().sign(forged.id);
    expect(await use.client.authenticate(forged)).toEqual(refused(forged, 'invalid'));
    const other = await use.connect();
    expect(await other.authenticate(event)).toEqual(refused(event, 'invalid'));
  });

  it('makes several keys known on one connection', async () => {
    const authors = [new Author(), new Author(), new Author()];
    for (const author of authors) expect((await answer(use, PUBLIC, {}, author))[2]).toBe(true);
    for (const author of authors) {
      const event = author.event({ tags: [['-']] });
      expect(await use.client.publish(event)).toEqual(accepted(event));
    }
  });

  it('is never published, stored or delivered', async () => {
    const author = new Author();
    const listener = await use.connect();
    await listener.req('live', { authors: [author.pubkey] });
    expect((await answer(use, PUBLIC, {}, author))[2]).toBe(true);
    const note = author.event();
    await use.client.publish(note);
    expect(await listener.live('live')).toEqual(note);
    expect((await use.client.query({ authors: [author.pubkey] })).events).toEqual([note]);
  });

  it('that is none is answered', async () => {
    for (const message of [['AUTH'], ['AUTH', 'x'], ['AUTH', {}], ['AUTH', null]]) {
      use.client.send(message);
      expect(await use.client.ok('')).toEqual([
        'OK',
        '',
        false,
        expect.stringMatching(/^invalid: /),
      ]);
    }
  });
}

describe('authentication', () => {
  const use = useRelay({
    'identity.urls': [PUBLIC, 'wss://other.example'],
    'auth.challenge': 'connect',
  });

  challengeTests(use);
  validityTests(use);
  connectionTests(use);
});

describe('authentication without a configured address', () => {
  const use = useRelay({ 'auth.pubkeys_max': 2 });

  it('goes by loopback names, and not by the host that the client says it connected to', async () => {
    const client = await Client.connect(use.relay.url, { headers: { Host: 'Relay.Example:7777' } });
    const challenge = await client.challenge();
    const foreign = new Author().auth(challenge, 'wss://relay.example');
    expect(await client.authenticate(foreign)).toEqual(refused(foreign, 'error'));
    const own = new Author().auth(challenge, 'ws://127.0.0.1');
    expect(await client.authenticate(own)).toEqual(accepted(own));
    await client.close();
  });

  it('takes so many keys and no more', async () => {
    await use.client.auth(new Author(), new Author());
    const challenge = await use.client.challenge();
    const third = new Author().auth(challenge, use.relay.url);
    expect(await use.client.authenticate(third)).toEqual(refused(third, 'rate-limited'));
  });

  it('takes any number of repetitions', async () => {
    const author = new Author();
    const challenge = await use.client.challenge();
    for (let i = 0; i < 100; i++) {
      const event = author.auth(challenge, use.relay.url, { created_at: now() - i });
      expect(await use.client.authenticate(event)).toEqual(accepted(event));
    }
  });
});

describe.each([
  ['none', false, false],
  ['write', true, false],
  ['read', false, true],
  ['all', true, true],
] as const)('auth.required = "%s"', (required, writes, reads) => {
  describe.each(['auto', 'connect', 'demand'] as const)('with the challenge at %s', (challenge) => {
    const use = useRelay({ 'auth.required': required, 'auth.challenge': challenge });

    it('asks for it where it is needed, and does not hang up', async () => {
      const client = await use.connect();
      // Number of challenges received at each rejection.
      const known: number[] = [];
      client.tap = (message) => {
        const isRefusal = JSON.stringify(message).includes('"auth-required: ');
        if (isRefusal) known.push(client.challenges.length);
        return false;
      };
      const author = new Author();
      const event = author.event();
      expect(await client.publish(event)).toEqual(
        writes ? refused(event, 'auth-required') : accepted(event),
      );
      const { end } = await client.req('s', { authors: [author.pubkey] });
      const [verb] = await client.count({ authors: [author.pubkey] });
      expect([end[0], verb]).toEqual(reads ? ['CLOSED', 'CLOSED'] : ['EOSE', 'COUNT']);
      if (reads) expect(end[2]).toMatch(/^auth-required: /);
      // Each rejection repeats the same challenge until the client has authenticated.
      const atConnect = challenge === 'connect' || (challenge === 'auto' && required !== 'none');
      const greeted = atConnect ? 1 : 0;
      const refusals = (writes ? 1 : 0) + (reads ? 2 : 0);
      expect(known).toEqual(Array.from({ length: refusals }, (_, n) => greeted + n + 1));
      expect(client.challenges).toHaveLength(greeted + refusals);
      expect(new Set(client.challenges).size).toBe(Math.min(1, greeted + refusals));
      if (greeted + refusals > 0) {
        await client.auth(new Author());
        const protectedEvent = author.event({ tags: [['-']] });
        expect(await client.publish(protectedEvent)).toEqual(refused(protectedEvent, 'restricted'));
        expect(client.challenges).toHaveLength(greeted + refusals);
      }
      const note = author.event();
      expect(await client.publish(note)).toEqual(accepted(note));
      const { events, end: eose } = await client.query({ ids: [note.id] });
      expect([eose[0], events]).toEqual(['EOSE', [note]]);
      expect(client.closed).toBeNull();
    });

    it('is what the relay says of itself', async () => {
      const { body } = await http(use.relay.httpUrl, { Accept: 'application/nostr+json' });
      const { limitation, supported_nips: nips } = JSON.parse(body) as {
        limitation: Record<string, unknown>;
        supported_nips: number[];
      };
      expect(limitation.auth_required).toBe(required === 'all');
      expect(limitation.restricted_writes).toBe(writes);
      for (const nip of [17, 42, 59, 70]) expect(nips).toContain(nip);
    });
  });
});

describe('a challenge on demand', () => {
  const use = useRelay({ 'auth.challenge': 'demand' });

  it('comes before the CLOSED of a REQ that ends the subscription whose id it has', async () => {
    await use.client.req('s', { kinds: [1] });
    const seen: unknown[] = [];
    use.client.tap = ([verb]) => {
      seen.push(verb, use.client.challenges.length);
      return false;
    };
    const { end } = await use.client.req('s', { kinds: [1059] });
    expect(end).toEqual(['CLOSED', 's', expect.stringMatching(/^auth-required: /)]);
    expect(seen).toEqual(['CLOSED', 1]);
  });

  it('comes to who answers one that was never sent', async () => {
    const event = new Author().auth('', use.relay.url);
    expect(await use.client.authenticate(event)).toEqual(refused(event, 'invalid'));
    await use.client.auth(new Author());
    expect(use.client.challenges).toHaveLength(1);
  });
});

describe.each([
  ['members only may read', { 'membership.enabled': true, 'membership.restrict_reads': true }],
  ['an inbox', { 'auth.dm_inbox': true }],
  [
    'writers are known by their authentication',
    { 'policy.pubkeys_allowed': [new Author().pubkey], 'policy.access_for': 'authed' },
  ],
])('a relay that nobody can use without a key: %s', (_, settings) => {
  const use = useRelay(settings);

  it('sends the challenge at connect by default', async () => {
    const client = await use.connect();
    await client.sync();
    expect(client.challenges.length).toBeGreaterThan(0);
  });
});

describe('the default', () => {
  const use = useRelay();

  it('sends no challenge to a client that needs none', async () => {
    const author = new Author();
    await use.client.publish(author.event());
    await use.client.query({ authors: [author.pubkey] });
    await use.client.query({ '#p': [author.pubkey] });
    await use.client.count({ kinds: [1] });
    expect(use.client.challenges).toEqual([]);
  });

  it.each([
    ['a REQ for private kinds', ['REQ', 's', { kinds: [1059] }]],
    ['a REQ for private kinds beside others', ['REQ', 's', { kinds: [1, 1059] }]],
    ['a COUNT of private kinds', ['COUNT', 's', { kinds: [4] }]],
    ['a COUNT of private kinds beside others', ['COUNT', 's', { kinds: [4, 1] }]],
    ['a protected event', ['EVENT', new Author().event({ tags: [['-']] })]],
  ])('sends it before the answer to %s', async (_, message) => {
    let challenges = -1;
    use.client.tap = () => {
      challenges = use.client.challenges.length;
      return false;
    };
    use.client.send(message);
    await use.client.any();
    expect(challenges).toBe(1);
  });
});

describe('a challenge at connect', () => {
  const use = useRelay({ 'auth.required': 'all' });

  it('is sent again to a client that was not listening yet', async () => {
    const client = await use.connect();
    client.challenges.length = 0;
    await client.req('s', {});
    expect(client.challenges.length).toBeGreaterThan(0);
    await client.auth(new Author());
    expect((await client.req('s', {})).end[0]).toBe('EOSE');
  });

  it('comes a moment after the handshake, or before the answer to a first message', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const sent: string[] = [];
      const pending = new PendingChallenges((_, frame) => sent.push(frame));
      const [one, two, three] = [{}, {}, {}] as Connection[];
      pending.add(one!, 'one');
      vi.advanceTimersByTime(1);
      pending.add(two!, 'two');
      pending.add(three!, 'three');
      expect(sent).toEqual([]);
      pending.sendNow(two!);
      pending.sendNow(two!);
      expect(sent).toEqual(['two']);
      vi.advanceTimersByTime(1);
      expect(sent).toEqual(['two', 'one']);
      pending.drop(three!);
      vi.advanceTimersByTime(100);
      expect(sent).toEqual(['two', 'one']);
    } finally {
      vi.useRealTimers();
    }
  });
});
