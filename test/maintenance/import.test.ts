// `wok import`, run as a command: events of a file or of standard input into a database, checked by
// the answers of a relay that is started on it afterwards.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { exitCodes, INTERRUPTED } from '../../src/lib/exit-codes.ts';
import { localSocketFile, packageRoot } from '../../src/paths.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { openReader } from '../../src/store/database/open.ts';
import { Author, addressOf, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory, startRelay, testConfig } from '../support/relay.ts';
import { wok } from '../support/wok.ts';

function jsonl(events: readonly unknown[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

function fileOf(text: string): string {
  const file = join(freshDirectory(), 'events.jsonl');
  writeFileSync(file, text);
  return file;
}

/** Starts a relay on the directory and returns its answers to the filters, by id. */
async function stored(directory: string, ...filters: unknown[]): Promise<Map<string, NostrEvent>> {
  const relay = await startRelay({}, directory);
  const client = await Client.connect(relay.url);
  const { events } = await client.query(...filters);
  client.socket.terminate();
  await relay.stop();
  return new Map(events.map((event) => [event.id, event]));
}

describe('wok import', () => {
  it('stores valid events, names invalid ones, and may be repeated', async () => {
    const directory = freshDirectory();
    const alice = new Author();
    const notes = Array.from({ length: 40 }, (_, i) =>
      alice.event({ created_at: now() - 1000 + i, content: `"é\n${i}`, tags: [['t', 'x']] }),
    );
    const forged = { ...alice.event(), sig: notes[0]!.sig };
    const altered = { ...alice.event(), content: 'altered' };
    const lines = [
      ...notes.slice(0, 20).map((one) => JSON.stringify(one)),
      JSON.stringify(forged),
      '',
      'no JSON',
      JSON.stringify(altered),
      JSON.stringify({ ...alice.event(), kind: 'one' }),
      JSON.stringify(alice.event({ kind: 20_001 })),
      JSON.stringify(notes[3]),
      '  \r',
      // Fields in another order, with white space, and one unknown field.
      ...notes
        .slice(20)
        .map((one) =>
          JSON.stringify({ extra: 1, ...one, id: one.id }, null, 1).replace(/\n/g, ' '),
        ),
    ];
    const file = fileOf(lines.join('\n'));
    const first = await wok(['import', file, '--data', directory, '--show-rejected']);
    expect(first.out).toContain('46 events read · 40 added · 1 already stored · 5 refused');
    expect(first.out).toContain(
      '1 × invalid: sig is not the signature of the id by the pubkey (line 21)',
    );
    expect(first.out).toContain('1 × invalid: the line is not JSON (line 23)');
    expect(first.out).toContain('1 × invalid: id is not the SHA-256 of the event (line 24)');
    expect(first.err).toContain(
      `line 21: invalid: sig is not the signature of the id by the pubkey ${forged.id}`,
    );
    expect(first.code).toBe(exitCodes.ok);
    const again = await wok(['import', file, '--data', directory]);
    expect(again.out).toContain('46 events read · 0 added · 41 already stored · 5 refused');
    const found = await stored(directory, { authors: [alice.pubkey] });
    expect(found).toEqual(new Map(notes.map((one) => [one.id, one])));
  });

  it('applies the rules of replaceable events and deletions, in any order', async () => {
    const directory = freshDirectory();
    const bob = new Author();
    const profile = (age: number) => bob.event({ kind: 0, created_at: now() - age });
    const article = (age: number) =>
      bob.event({ kind: 30_023, created_at: now() - age, tags: [['d', 'a']] });
    const [old, newest, older] = [profile(50), profile(10), profile(90)];
    const [draft, final] = [article(50), article(10)];
    const [gone, early, kept] = [bob.event(), bob.event(), bob.event()];
    const deletion = bob.deletion([
      ['e', gone.id],
      ['e', early.id],
      ['a', addressOf(draft)],
    ]);
    const events = [old, newest, older, gone, draft, deletion, early, final, kept];
    const { out } = await wok(['import', '--data', directory], jsonl(events));
    expect(out).toContain('9 events read · 6 added · 0 already stored · 3 refused');
    expect(out).toContain('× blocked: this event was deleted by its author');
    const found = await stored(directory, { authors: [bob.pubkey] });
    expect(new Set(found.keys())).toEqual(new Set([newest.id, deletion.id, kept.id]));
  });
});

describe('limits and checks of wok import', () => {
  it('let in protected, old and future events, and large ones with --no-limits', async () => {
    const directory = freshDirectory();
    const carol = new Author();
    const events = [
      carol.event({ tags: [['-']] }),
      carol.event({ created_at: 1000 }),
      carol.event({ created_at: now() + 1_000_000 }),
      carol.event({ content: 'x'.repeat(300_000) }),
    ];
    const first = await wok(['import', '--data', directory], jsonl(events));
    expect(first.out).toContain('4 events read · 3 added · 0 already stored · 1 refused');
    expect(first.out).toContain('invalid: event is too large, the limit is 262134');
    const second = await wok(['import', '-', '--no-limits', '--data', directory], jsonl(events));
    expect(second.out).toContain('4 events read · 1 added · 3 already stored · 0 refused');
  });

  it('are ids without signatures with --no-verify', async () => {
    const directory = freshDirectory();
    const dora = new Author();
    const forged = { ...dora.event(), sig: dora.event().sig };
    const altered = { ...dora.event(), content: 'altered' };
    const { out, code } = await wok(
      ['import', '--no-verify', '--data', directory],
      jsonl([forged, altered]),
    );
    expect(out).toContain('2 events read · 1 added · 0 already stored · 1 refused');
    expect(code).toBe(exitCodes.ok);
  });

  it('skip a line that is too long, and fail for a file without events', async () => {
    const directory = freshDirectory();
    const event = new Author().event();
    const long = `{"content":"${'x'.repeat(17 * 1024 * 1024)}"}\n`;
    const one = await wok(['import', '--data', directory], `${long}${JSON.stringify(event)}`);
    expect(one.out).toContain('2 events read · 1 added · 0 already stored · 1 refused');
    expect(one.out).toContain('the line has more than');
    const none = await wok(['import', '--data', directory], 'a,b,c\n1,2,3\n');
    expect(none.code).toBe(exitCodes.refused);
  });
});

describe('wok import and other processes', () => {
  it('fail while a relay runs on the directory whose local socket is gone', async () => {
    const directory = freshDirectory();
    const relay = await WokProcess.start({}, directory);
    rmSync(localSocketFile(directory));
    const { err, code } = await wok(['import', '--data', directory], jsonl([new Author().event()]));
    expect(err).toContain('in use by another process');
    expect(code).toBe(exitCodes.busy);
    await relay.kill();
  });

  it('end in order on Ctrl-C, continue afterwards, and survive kill -9', async () => {
    const directory = freshDirectory();
    const erin = new Author();
    const events = Array.from({ length: 400 }, (_, i) => erin.event({ created_at: now() - i }));
    const start = () =>
      spawn(process.execPath, [
        join(packageRoot, 'dist/src/wok.js'),
        ...['import', '--data', directory, '--write-batch', '10'],
      ]);
    for (const signal of ['SIGKILL', 'SIGINT'] as const) {
      const child = start();
      let out = '';
      child.stdout.on('data', (data) => {
        out += String(data);
      });
      // Standard input stays open, so that the import waits for more when the signal comes.
      child.stdin.write(jsonl(events.slice(0, signal === 'SIGINT' ? 300 : 200)));
      const wanted = signal === 'SIGINT' ? 200 : 100;
      await until(() => {
        try {
          const db = openReader(testConfig(directory).storage);
          const count = db.prepare('SELECT count(*) FROM event').pluck().get() as number;
          db.close();
          return count > wanted;
        } catch {
          return false;
        }
      }, 'some commits');
      child.kill(signal);
      const [code] = (await once(child, 'close')) as [number | null];
      if (signal === 'SIGINT') {
        expect(code).toBe(INTERRUPTED);
        expect(out).toContain('Interrupted');
      }
    }
    const last = await wok(['import', '--data', directory], jsonl(events));
    expect(last.out).toMatch(/400 events read · \d+ added · \d+ already stored · 0 refused/);
    expect(last.code).toBe(exitCodes.ok);
    const found = await stored(directory, { authors: [erin.pubkey], limit: 500 });
    expect(found.size).toBe(400);
  });
});

const author = new Author();
const events = Array.from({ length: 300 }, (_, i) =>
  author.event({ created_at: now() - i, content: `${i}` }),
);
const text = jsonl(events);
const half = text.indexOf('\n', text.length / 2) + 1;
/** Returns the text as two gzip members. */
const gzip = () => Buffer.concat([gzipSync(text.slice(0, half)), gzipSync(text.slice(half))]);
const zstd = (part: string) => execFileSync('zstd', ['-q', '-c'], { input: part });
const hasZstd = spawnSync('zstd', ['--version']).status === 0;

describe('inputs of wok import', () => {
  it('are recognised by their first bytes: plain, a byte order mark, gzip', async () => {
    const all = /300 events read · 300 added · 0 already stored · 0 refused/;
    for (const input of [text, `\ufeff${text}`, gzip()]) {
      const { out, err, code } = await wok(['import', '--data', freshDirectory()], input);
      expect(out, err).toMatch(all);
      expect(code).toBe(exitCodes.ok);
    }
  });

  it.skipIf(!hasZstd)('are recognised by their first bytes: zstd (needs zstd)', async () => {
    const frames = Buffer.concat([zstd(text.slice(0, half)), zstd(text.slice(half))]);
    const { out, err, code } = await wok(['import', '--data', freshDirectory()], frames);
    expect(out, err).toMatch(/300 events read · 300 added/);
    expect(code).toBe(exitCodes.ok);
    const cut = await wok(
      ['import', '--data', freshDirectory()],
      frames.subarray(0, frames.length - 10),
    );
    expect(cut.err).toContain('the Zstandard data end too soon');
    expect(cut.code).toBe(exitCodes.refused);
  });

  it('that end too soon are imported as far as they go, and named', async () => {
    const directory = freshDirectory();
    const [good, cut, bad] = ['good.jsonl', 'cut.gz', 'bad.gz'].map((name) =>
      join(freshDirectory(), name),
    ) as [string, string, string];
    writeFileSync(good, jsonl([author.event({ content: 'good' })]));
    const whole = gzipSync(text, { level: 0 });
    writeFileSync(cut, whole.subarray(0, whole.length - 2000));
    writeFileSync(bad, Buffer.concat([whole.subarray(0, 10), Buffer.alloc(200, 0xff)]));
    const { out, err, code } = await wok(['import', '--data', directory, cut, bad, good]);
    expect(err).toContain(`${cut}: the gzip data end too soon`);
    expect(err).toContain(`${bad}: the gzip data are damaged`);
    expect(code).toBe(exitCodes.refused);
    const [, read, added] = /(\d+) events read · (\d+) added/.exec(out)!.map(Number);
    expect(read).toBeGreaterThan(200);
    expect(added).toBe(read);
  });

  it('are several files, whose lines are named', async () => {
    const directory = freshDirectory();
    const one = fileOf(`${text}no JSON\n`);
    const two = fileOf(`{}\n${text}`);
    const { out, err, code } = await wok([
      ...['import', '--data', directory, '--show-rejected', one, two],
    ]);
    expect(out).toContain('602 events read · 300 added · 300 already stored · 2 refused');
    expect(out).toContain(`(${one}:301)`);
    expect(err).toContain(`${two}:1: invalid`);
    expect(code).toBe(exitCodes.ok);
  });
});

describe('imports with a progress file', () => {
  it('continue where the file says, and remove it at the end', async () => {
    const directory = freshDirectory();
    const [first, second] = [fileOf(text), join(freshDirectory(), 'second.gz')];
    writeFileSync(second, gzip());
    const progress = join(freshDirectory(), 'progress.json');
    const lines = text.slice(0, half).split('\n').length - 1;
    const places = {
      [first]: { bytes: text.length, lines: 300, done: true },
      [second]: { bytes: Buffer.byteLength(text.slice(0, half)), lines, done: false },
    };
    writeFileSync(progress, JSON.stringify({ version: 1, inputs: places }));
    const args = ['import', '--data', directory, first, second, '--progress', progress];
    const { out, err, code } = await wok(args);
    expect(out, err).toContain(`${300 - lines} events read · ${300 - lines} added`);
    expect(code).toBe(exitCodes.ok);
    expect(existsSync(progress)).toBe(false);
    const again = await wok(args);
    expect(again.out).toContain('600 events read');
    writeFileSync(progress, '{"version":2}');
    const refused = await wok(args);
    expect(refused.err).toContain('is no progress file of wok import');
    expect(refused.code).toBe(exitCodes.usage);
  });

  it('continue after Ctrl-C with the same command, each line once', async () => {
    const directory = freshDirectory();
    const progress = join(freshDirectory(), 'progress.json');
    // More than a pipe and the chunks in work hold: the import is not at its end when it is ended.
    const many = Array.from({ length: 3000 }, (_, i) =>
      JSON.stringify(author.event({ created_at: now() - i, content: `${i} ${'x'.repeat(500)}` })),
    );
    const file = fileOf(`${many.join('\n')}\n`);
    const child = spawn(process.execPath, [
      join(packageRoot, 'dist/src/wok.js'),
      ...['import', '--data', directory, '--write-batch', '10', '--progress', progress, '-'],
    ]);
    let out = '';
    child.stdout.on('data', (data) => {
      out += String(data);
    });
    child.stdin.write(`${many.slice(0, 1000).join('\n')}\n`);
    await until(() => {
      try {
        const db = openReader(testConfig(directory).storage);
        const count = db.prepare('SELECT count(*) FROM event').pluck().get() as number;
        db.close();
        return count >= 500;
      } catch {
        return false;
      }
    }, 'some commits');
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(INTERRUPTED);
    const counts = (printed: string) => printed.replaceAll(',', '');
    const [, read] = /(\d+) events read/.exec(counts(out))!.map(Number);
    const { inputs } = JSON.parse(readFileSync(progress, 'utf8')) as {
      inputs: Record<string, { lines: number; done: boolean }>;
    };
    expect(inputs['-']).toMatchObject({ lines: read, done: false });
    const rest = await wok(
      ['import', '--data', directory, '--progress', progress, '-'],
      readFileSync(file),
    );
    const left = 3000 - read!;
    expect(counts(rest.out)).toContain(`${left} events read · ${left} added`);
    expect(rest.code).toBe(exitCodes.ok);
    expect(existsSync(progress)).toBe(false);
  });
});
