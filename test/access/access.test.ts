// Access rules for writers (policy.access_match, admission, trust, nip05): key files, payment, web
// of trust and NIP-05, alone and combined. KeySet, readKeyFile, lookUp and parseAddress as units;
// the rest against an in-process relay over real sockets, with a local HTTP server for NIP-05.

import { randomBytes } from 'node:crypto';
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { nip19 } from 'nostr-tools';
import { afterEach, describe, expect, it } from 'vitest';
import { readKeyFile } from '../../src/access/key-file.ts';
import { KeySet } from '../../src/access/key-set.ts';
import { isInDomains, lookUp, parseAddress } from '../../src/access/nip05.ts';
import { Author, type Draft, now } from '../support/author.ts';
import { WAIT_MILLISECONDS } from '../support/ceiling.ts';
import { Client } from '../support/client.ts';
import { http } from '../support/http.ts';
import { until as holds } from '../support/process.ts';
import {
  freshDirectory,
  type Settings,
  startRelay,
  type TestRelay,
  testConfig,
} from '../support/relay.ts';

let relay: TestRelay | null = null;
let client: Client;
let server: Server | null = null;

async function start(settings: Settings, directory = freshDirectory()): Promise<void> {
  relay = await startRelay({ 'storage.index_delay_milliseconds': 5, ...settings }, directory);
  client = await Client.connect(relay.url);
}

afterEach(async () => {
  client?.socket.terminate();
  await relay?.stop();
  server?.close();
  relay = null;
  server = null;
});

/** Returns the relay's answer to an event of this author: `ok`, or the text of the refusal. */
async function say(author: Author, draft: Draft = {}): Promise<string> {
  const [, , ok, why] = await client.publish(author.event(draft));
  return ok === true ? 'ok' : String(why);
}

/** Publishes events until the answer is as wanted. */
async function until(author: Author, wanted: RegExp | 'ok', draft: Draft = {}): Promise<string> {
  let answer = '';
  await holds(async () => {
    answer = await say(author, draft);
    return wanted === 'ok' ? answer === 'ok' : wanted.test(answer);
  }, String(wanted));
  return answer;
}

describe('KeySet', () => {
  it('has what it was made of and nothing else, whatever the keys', () => {
    const keys = Array.from({ length: 3000 }, () => randomBytes(32).toString('hex'));
    const near = keys.map((key) => key.slice(0, 63) + (key.endsWith('0') ? '1' : '0'));
    const set = new KeySet(KeySet.of([...keys, keys[0]!, '0'.repeat(64), 'f'.repeat(64)]).buffer);
    expect(set.size).toBe(3002);
    expect(keys.every((key) => set.has(key))).toBe(true);
    expect(near.some((key) => set.has(key))).toBe(false);
    expect(set.has('0'.repeat(64)) && set.has('f'.repeat(64))).toBe(true);
    expect([...set.keys()]).toEqual([...keys, '0'.repeat(64), 'f'.repeat(64)].sort());
    expect(KeySet.of([]).has(keys[0]!)).toBe(false);
  });
});

describe('readKeyFile', () => {
  const [a, b, c, d] = Array.from({ length: 4 }, () => new Author().pubkey) as [
    string,
    string,
    string,
    string,
  ];

  it('takes hex, npub, comments, blanks, dates, and tells what is wrong', () => {
    const text = [
      '# people',
      '',
      `${a.toUpperCase()}   # Alice`,
      `\t${nip19.npubEncode(b)} 2026-11-22\r`,
      `${c} 2026-11-20`,
      `${d} 1800000000`,
      'npub1nobody',
      `${a} soon`,
      a.slice(1),
    ].join('\n');
    const file = readKeyFile(text, Date.UTC(2026, 10, 21) / 1000);
    expect(file.keys).toEqual([a, b, d]);
    expect(file.nextEnd).toBe(Date.UTC(2026, 10, 23) / 1000);
    expect(file.problems.map(({ line }) => line)).toEqual([7, 8, 9]);
  });

  it('lets a day hold to its end, UTC', () => {
    const at = (hour: number) =>
      readKeyFile(`${a} 2026-11-20`, Date.UTC(2026, 10, 20, hour) / 1000);
    expect([at(0).keys, at(23).keys, at(24).keys]).toEqual([[a], [a], []]);
  });
});

describe('lists in files', () => {
  it('are read anew when they change, with or without a new inode', async () => {
    const directory = freshDirectory();
    const [allowed, denied] = [join(directory, 'allowed.txt'), join(directory, 'denied.txt')];
    const [one, two, three, inline] = [new Author(), new Author(), new Author(), new Author()];
    writeFileSync(allowed, `${nip19.npubEncode(one.pubkey)} # one\n`);
    writeFileSync(denied, '');
    await start(
      {
        'policy.pubkeys_allowed': [inline.pubkey],
        'policy.pubkeys_allowed_files': [allowed],
        'policy.pubkeys_denied_files': [denied],
      },
      directory,
    );
    await until(one, 'ok');
    expect(await say(two)).toMatch(/^restricted: this key is not on the list/);
    expect(await say(inline)).toBe('ok');
    appendFileSync(allowed, `${two.pubkey}\n`);
    await until(two, 'ok');
    writeFileSync(`${allowed}.new`, `${three.pubkey}\n`);
    renameSync(`${allowed}.new`, allowed);
    await until(three, 'ok');
    expect(await say(one)).toMatch(/^restricted/);
    expect(await say(inline)).toBe('ok');
    writeFileSync(denied, `${three.pubkey}\n`);
    await until(three, /^blocked/);
  });

  it('that cannot be read refuse all keys, until they can be read', async () => {
    const directory = freshDirectory();
    const path = join(directory, 'allowed.txt');
    const author = new Author();
    await start({ 'policy.pubkeys_allowed_files': [path] }, directory);
    expect(await say(author)).toMatch(/^error: .*try again/);
    // The admin worker reads the file in the background: its warning may come after the refusal.
    const logged = () => relay!.logged.join();
    await expect
      .poll(logged, { timeout: WAIT_MILLISECONDS })
      .toMatch(/a key list file cannot be read.*allowed.txt/);
    writeFileSync(path, author.pubkey);
    await until(author, 'ok');
  });
});

describe('admission', () => {
  it('refuses with the address to pay at, and follows the file of paid keys', async () => {
    const directory = freshDirectory();
    const path = join(directory, 'paid.txt');
    const [payer, mail] = [new Author(), new Author()];
    writeFileSync(path, '');
    await start(
      {
        'admission.files': [path],
        'admission.payments_url': 'https://relay.example/pay',
        'admission.fee_msats': 1_000_000,
        'admission.subscription_msats': 5000,
        'policy.open_kinds': ['1059'],
        'policy.open_to_mentions': true,
      },
      directory,
    );
    await until(payer, /^restricted: .* see https:\/\/relay.example\/pay$/);
    expect(await say(mail, { kind: 1059 })).toBe('ok');
    const { body } = await http(relay!.httpUrl, { Accept: 'application/nostr+json' });
    expect(JSON.parse(body)).toMatchObject({
      payments_url: 'https://relay.example/pay',
      fees: {
        admission: [{ amount: 1_000_000, unit: 'msats' }],
        subscription: [{ amount: 5000, unit: 'msats', period: 2_592_000 }],
      },
      limitation: { payment_required: true, restricted_writes: true },
    });
    const reply: Draft = {
      tags: [
        ['e', 'x'],
        ['p', payer.pubkey],
      ],
    };
    expect(await say(mail, reply)).toMatch(/^restricted/);
    appendFileSync(path, `${payer.pubkey} 2099-01-01\n`);
    await until(payer, 'ok');
    expect(await say(mail, reply)).toBe('ok');
    expect(await say(mail)).toMatch(/^restricted/);
  });
});

describe('the web of trust', () => {
  // Each list has a later date than the one before, so that it replaces it whatever their ids are.
  let time = now() - 1000;
  const follow = (author: Author, ...others: Author[]) =>
    say(author, {
      created_at: ++time,
      kind: 3,
      tags: others.map(({ pubkey }) => ['p', pubkey]),
      content: '["p"]',
    });

  it('reaches so far, with so many followers, and follows the follow lists', async () => {
    const people = Array.from({ length: 7 }, () => new Author());
    const [root, a, b, twice, once, far, stranger] = people as [
      Author,
      Author,
      Author,
      Author,
      Author,
      Author,
      Author,
    ];
    const directory = freshDirectory();
    await start({}, directory);
    await follow(root, a, b);
    await follow(a, twice, once, root);
    await follow(b, twice);
    await follow(twice, far);
    await follow(stranger, once, far, stranger);
    const web = (settings: Settings) =>
      testConfig(directory, {
        'trust.roots': [nip19.npubEncode(root.pubkey)],
        'trust.depth': 2,
        'trust.followers_min': 2,
        'trust.refresh_seconds': 1,
        ...settings,
      });
    await relay!.relay.reload(web({}));
    await until(a, 'ok');
    // The last stored event may reach the index, and so the web of trust, a little later.
    await until(twice, 'ok');
    for (const one of [once, far, stranger]) {
      expect(await say(one)).toMatch(
        /^restricted: this key is not in the web of trust of this relay/,
      );
    }
    await follow(b, twice, once);
    await until(once, 'ok');
    await relay!.relay.reload(web({ 'trust.depth': 1 }));
    await until(twice, /^restricted/);
    expect(await say(a)).toBe('ok');
    await relay!.relay.reload(web({ 'trust.depth': 3, 'trust.followers_min': 1 }));
    await until(far, 'ok');
    expect(await say(stranger)).toMatch(/^restricted/);
  });
});

/** Starts a web server with these answers; returns its host and the list of requested paths. */
async function serve(answer: (url: string) => { status?: number; body: string; headers?: object }) {
  const asked: string[] = [];
  server = createServer((request, response) => {
    asked.push(request.url!);
    const { status = 200, body, headers = {} } = answer(request.url!);
    response.writeHead(status, { ...headers });
    response.end(body);
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return { asked, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const required: Settings = {
  'nip05.required': true,
  'nip05.private_networks': true,
  'nip05.failed_seconds': 1,
  'nip05.timeout_seconds': 30,
  'ingester.workers': 2,
};
const profile = (nip05: string): Draft => ({ kind: 0, content: JSON.stringify({ nip05 }) });

describe('NIP-05', () => {
  it('is verified in the background, once, before its owner may write', async () => {
    const [bob, thief, nobody] = [new Author(), new Author(), new Author()];
    const { asked, host } = await serve(() => ({
      body: JSON.stringify({ names: { bob: bob.pubkey } }),
    }));
    await start(required);
    const draft = profile(`Bob@${host}`);
    expect(await say(bob, draft)).toMatch(/^restricted: .* is being verified; try again/);
    await until(bob, 'ok', draft);
    for (let i = 0; i < 5; i++) expect(await say(bob)).toBe('ok');
    expect(asked).toEqual(['/.well-known/nostr.json?name=bob']);
    await until(thief, /belongs to another key/, draft);
    await until(nobody, /requires a NIP-05 address; publish a profile/);
    await until(nobody, /does not have the form name@domain/, profile('a b@c'));
    const forged = { ...bob.event(), pubkey: nobody.pubkey };
    expect((await client.publish(forged))[3]).toMatch(/^(invalid|restricted)/);
  });

  it('is required at allowed domains', async () => {
    const author = new Author();
    await start({
      ...required,
      'nip05.domains_allowed': ['good.example'],
      'nip05.domains_denied': ['bad.good.example'],
    });
    await until(author, /must be at good.example/, profile('a@elsewhere.example'));
    const other = new Author();
    await until(
      other,
      /does not accept NIP-05 addresses of this domain/,
      profile('a@x.bad.good.example'),
    );
    expect(isInDomains('good.example:8080', ['good.example'])).toBe(true);
    expect(isInDomains('notgood.example', ['good.example'])).toBe(false);
  });
});

describe('a NIP-05 look-up', () => {
  it.each<[string, { status?: number; body: string; headers?: object }, RegExp]>([
    [
      'a redirect',
      { status: 302, body: '', headers: { Location: 'http://127.0.0.1/' } },
      /status 302/,
    ],
    ['an error', { status: 500, body: '' }, /status 500/],
    ['no JSON', { body: '<html>' }, /did not answer with JSON/],
    ['too much', { body: ' '.repeat(300_000) }, /answered too much/],
    ['another name', { body: '{"names":{"alice":"x"}}' }, /has no name bob/],
    ['a name of Object', { body: '{"names":{}}' }, /has no name bob/],
  ])('fails: %s', async (_, answer, why) => {
    const { host } = await serve(() => answer);
    await expect(
      lookUp(`bob@${host}`, { timeoutSeconds: 60, privateNetworks: true }),
    ).rejects.toThrow(why);
  });

  it('fails after its timeout', async () => {
    server = createServer(() => {});
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const options = { timeoutSeconds: 0.2, privateNetworks: true };
    await expect(lookUp(`bob@127.0.0.1:${port}`, options)).rejects.toThrow(
      /did not answer in time/,
    );
    server.closeAllConnections();
  });

  it('never connects to private networks, by address or by name', async () => {
    const { asked, host } = await serve(() => ({ body: '{}' }));
    const port = host.split(':')[1];
    for (const domain of [host, `localhost:${port}`, '10.0.0.1', '169.254.169.254', '0.0.0.0']) {
      const options = { timeoutSeconds: 60, privateNetworks: false };
      await expect(lookUp(`bob@${domain}`, options)).rejects.toThrow(/private network/);
    }
    expect(asked).toEqual([]);
  });

  it('parses addresses', () => {
    expect(parseAddress('Bob.b-1@Relay.Example')).toEqual({
      local: 'bob.b-1',
      domain: 'relay.example',
    });
    expect(parseAddress('relay.example')).toEqual({ local: '_', domain: 'relay.example' });
    for (const text of ['', '@x', 'a@', 'a@b/c', 'a@b?c', 'a@b@c', 'a b@c', 'a@user:pw@h']) {
      expect(parseAddress(text)).toBeUndefined();
    }
  });
});

describe('several access rules', () => {
  it('accept a key that meets any of them, or one that meets all', async () => {
    const directory = freshDirectory();
    const paid = join(directory, 'paid.txt');
    const [both, listed, payer] = [new Author(), new Author(), new Author()];
    writeFileSync(paid, `${both.pubkey}\n${payer.pubkey}\n`);
    const settings: Settings = {
      'policy.pubkeys_allowed': [both.pubkey, listed.pubkey],
      'admission.files': [paid],
      'admission.payments_url': 'https://relay.example/pay',
    };
    await start(settings, directory);
    for (const one of [both, listed, payer]) await until(one, 'ok');
    expect(await say(new Author())).toContain('https://relay.example/pay');
    await relay!.relay.reload(testConfig(directory, { ...settings, 'policy.access_match': 'all' }));
    await until(listed, /^restricted: writing to this relay requires payment/);
    expect(await say(payer)).toMatch(/^restricted: this key is not on the list/);
    expect(await say(both)).toBe('ok');
  });

  it('apply to authenticated keys', async () => {
    const member = new Author();
    const settings = { 'policy.pubkeys_allowed': [member.pubkey] };
    await start({ ...settings, 'policy.access_for': 'authed' });
    expect(await say(member)).toMatch(/^auth-required/);
    await relay!.relay.reload(
      testConfig(relay!.directory, { ...settings, 'policy.access_for': 'either' }),
    );
    expect(await say(member)).toBe('ok');
    expect(await say(new Author())).toMatch(/^auth-required/);
  });
});
