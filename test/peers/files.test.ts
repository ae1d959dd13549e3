// `wok import` beside a running relay, `wok download` and `wok upload`, run as commands: what is
// stored, what subscribers see, what is refused, and how an interrupted import goes on.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { exitCodes, INTERRUPTED } from '../../src/lib/exit-codes.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { freshDirectory, startRelay, type TestRelay } from '../support/relay.ts';
import { startScriptedRelay } from '../support/scripted-relay.ts';
import { runWok, SIGNAL_AT_ONCE, wok } from '../support/wok.ts';

const alice = new Author();
const relays: TestRelay[] = [];

afterEach(async () => {
  for (const one of relays.splice(0)) await one.stop();
});

async function relay(settings = {}): Promise<TestRelay> {
  const started = await startRelay(settings);
  relays.push(started);
  return started;
}

const notes = (count: number, age = 0) =>
  Array.from({ length: count }, (_, n) => alice.event({ created_at: now() - age - n }));
const jsonl = (events: readonly unknown[]) =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

function fileOf(content: string | Buffer, name = 'events.jsonl'): string {
  const file = join(freshDirectory(), name);
  writeFileSync(file, content);
  return file;
}

async function idsAt({ url }: TestRelay): Promise<string[]> {
  const client = await Client.connect(url);
  const { events } = await client.query({ limit: 5000 });
  await client.close();
  return events.map(({ id }) => id).sort();
}

const idsOf = (events: readonly NostrEvent[]) => events.map(({ id }) => id).sort();

describe('wok import beside a running relay', () => {
  it('stores what it would store without one, and subscribers see it', async () => {
    const running = await relay({ 'auth.required': 'all', 'policy.kinds_allowed': ['7'] });
    const client = await Client.connect(running.url);
    await client.auth(alice);
    await client.req('live', { kinds: [1] });
    // Older than clients may publish.
    const old = notes(300, 10 * 365 * 86_400);
    const isProtected = alice.event({ tags: [['-']] });
    const forged = { ...alice.event(), sig: old[0]!.sig };
    const file = fileOf(
      jsonl([...old.slice(0, 200), forged, alice.event({ kind: 20_001 })]) +
        'no JSON\n\n{}\n' +
        jsonl([old[3], isProtected]),
    );
    const second = fileOf(gzipSync(jsonl(old.slice(200))), 'more.jsonl.gz');
    const data = ['--data', running.directory];
    const { out, err, code } = await wok(['import', file, second, ...data, '--show-rejected']);
    expect(out).toContain('306 events read · 301 added · 1 already stored · 4 refused');
    expect(err).toContain('events.jsonl:201: invalid: sig is not the signature');
    expect(err).toContain('events.jsonl:203: invalid: the line holds no event with an id');
    expect(err).toContain('events.jsonl:205: invalid: the line holds no event with an id');
    expect(code).toBe(exitCodes.ok);
    const seen = new Set<string>();
    while (seen.size < 301) seen.add((await client.live('live')).id);
    expect([...seen].sort()).toEqual(idsOf([...old, isProtected]));
  });

  it('goes on where it was interrupted, and keeps to a rate', async () => {
    const running = await relay();
    const events = notes(400);
    const file = fileOf(jsonl(events));
    const progress = join(freshDirectory(), 'progress.json');
    const args = ['import', file, '--data', running.directory, '--progress', progress];
    const first = await runWok([...args, '--rate', '1'], { preload: SIGNAL_AT_ONCE });
    expect(first.out).toContain('Interrupted');
    expect(first.code).toBe(INTERRUPTED);
    expect((await idsAt(running)).length).toBeLessThan(400);
    const second = await wok(args);
    expect(second.code).toBe(exitCodes.ok);
    expect(existsSync(progress)).toBe(false);
    expect(await idsAt(running)).toEqual(idsOf(events));
  });

  it.each(['--no-verify', '--no-limits'])('refuses %s', async (flag) => {
    const running = await relay();
    const { err, code } = await wok(['import', '--data', running.directory, flag], jsonl(notes(1)));
    expect(err).toContain(`${flag} does not work beside the running relay`);
    expect(code).toBe(exitCodes.usage);
  });
});

describe('wok download', () => {
  it('reads everything from a relay that sends little at once', async () => {
    const running = await relay({ 'limits.limit_max': 50, 'limits.limit_default': 20 });
    const events = Array.from({ length: 333 }, (_, n) =>
      alice.event({ created_at: now() - Math.floor(n / 7) }),
    );
    await wok(['import', '--data', running.directory], jsonl(events));
    const { out, err, code } = await wok(['download', running.url]);
    expect(code).toBe(exitCodes.ok);
    const lines = out.split('\n').filter((line) => line !== '');
    expect(lines.map((line) => (JSON.parse(line) as NostrEvent).id).sort()).toEqual(idsOf(events));
    expect(err).toContain('333 events');
    const filter = JSON.stringify({ limit: 75 });
    const some = await wok(['download', running.url, '--filter', filter]);
    expect(some.out.split('\n')).toHaveLength(76);
  });

  it('leaves a relay that sends more than was asked for', async () => {
    const liar = await startScriptedRelay(([verb, id], send) => {
      if (verb !== 'REQ') return;
      const event = alice.event();
      for (let n = 0; n < 2_000; n++) send(['EVENT', id, event]);
    });
    const { err, code } = await wok(['download', liar.url]);
    expect(err).toContain('it sends more events than were asked for');
    expect(code).toBe(exitCodes.unavailable);
    await liar.stop();
  });

  it('says when there is no relay', async () => {
    const { err, code } = await wok(['download', 'ws://127.0.0.1:1']);
    expect(err).toContain('cannot be reached');
    expect(code).toBe(exitCodes.unavailable);
  });
});

describe('wok upload', () => {
  it('publishes the events of a file, and names what is refused', async () => {
    const running = await relay();
    const events = notes(120);
    const forged = { ...alice.event(), content: 'forged' };
    const file = fileOf(`${jsonl([...events, events[0], forged])}no JSON\n`);
    const { err, code } = await wok(['upload', running.url, file, '--show-rejected']);
    expect(err).toContain('120 stored, 1 there already, 1 refused');
    expect(err).toContain(`${forged.id}: invalid: id is not the SHA-256 of the event`);
    expect(err).toContain('line 123 holds no event');
    expect(code).toBe(exitCodes.ok);
    expect(await idsAt(running)).toEqual(idsOf(events));
  });

  it('reads standard input, and ends with 65 if nothing was taken', async () => {
    const running = await relay({ 'policy.kinds_allowed': ['7'] });
    const { err, code } = await wok(['upload', running.url], jsonl(notes(3)));
    expect(err).toMatch(/0 stored, 0 there already, 3 refused\n {2}3 × blocked: /);
    expect(code).toBe(exitCodes.refused);
    const missing = await wok(['upload', running.url, '/nonexistent/file']);
    expect(missing.err).toContain('There is no file /nonexistent/file');
    expect(missing.code).toBe(exitCodes.usage);
  });

  it('what was downloaded is the same as what was uploaded, byte by byte', async () => {
    const [first, second] = [await relay(), await relay()];
    await wok(['import', '--data', first.directory], jsonl(notes(40)));
    const down = await wok(['download', first.url]);
    await wok(['upload', second.url], down.out);
    const again = await wok(['download', second.url]);
    expect(again.out.split('\n').sort()).toEqual(down.out.split('\n').sort());
    const stored = await wok(['export', '--data', second.directory]);
    expect(stored.out.split('\n').sort()).toEqual(down.out.split('\n').sort());
  });
});
