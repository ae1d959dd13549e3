// `wok compact`, run as a command: copies beside a relay at work, the database in place, signals
// and kills at any moment. Contents are compared by `wok export`.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { packageRoot } from '../../src/paths.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { inTime } from '../support/pace.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory, startRelay } from '../support/relay.ts';
import { copyOfDirectory } from '../support/temporary.ts';
import { runWok, wok, wokHere } from '../support/wok.ts';

const START = 1_700_000_000;
const wokFile = join(packageRoot, 'dist/src/wok.js');

/** Makes a database of `count` events, most of which are removed again. */
async function filled(count: number, kept = 0.3): Promise<string> {
  const directory = freshDirectory();
  const author = new Author();
  const lines = Array.from({ length: count }, (_, n) => {
    const event = author.event({ created_at: START + n, content: `${n} `.repeat(100) });
    return `${JSON.stringify(event)}\n`;
  });
  const data = ['--data', directory];
  await wok(['import', ...data], lines.join(''));
  const last = START + Math.floor(count * (1 - kept)) - 1;
  await wokHere(['delete', ...data, '--until', String(last)]);
  return directory;
}

async function contentOf(directory: string): Promise<string> {
  const { out, err, code } = await wokHere(['export', '--data', directory]);
  expect([err, code]).toEqual(['', exitCodes.ok]);
  return out;
}

/** Returns the content of a copy, restored into a data directory. */
async function contentOfCopy(file: string): Promise<string> {
  const directory = freshDirectory();
  const { err, code } = await wokHere(['restore', file, '--data', directory]);
  expect([err, code]).toEqual(['', exitCodes.ok]);
  return contentOf(directory);
}

function compactProcess(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [wokFile, 'compact', ...args], { stdio: 'ignore' });
}

/** Returns the exit code of a process, or the signal that ended it. */
async function endOf(child: ChildProcess): Promise<number | string> {
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return code ?? signal!;
}

const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
const rest = (directory: string) =>
  readdirSync(directory).filter(
    (name) => !/^wok(\.(db(-wal|-shm)?|lock|sock)|-nostr\.sock)$/.test(name),
  );

describe('wok compact FILE', () => {
  it('writes a smaller copy of one moment of a relay at work', async () => {
    const directory = await filled(1000);
    const relay = await startRelay({ 'storage.index_delay_milliseconds': 600_000 }, directory);
    const client = await Client.connect(relay.url);
    const author = new Author();
    await client.publish(author.event());
    let running = true;
    const busy = (async () => {
      while (running) await client.publish(author.event());
    })();
    const file = join(freshDirectory(), 'small.db');
    const { out, err, code } = await wok(['compact', file, '--data', directory]);
    running = false;
    await busy;
    expect([err, code]).toEqual(['', exitCodes.ok]);
    expect(out).toMatch(/^before {2}[\d.]+ [kM]B, [\d.]+ [kM]B of it in the write-ahead log\n/);
    expect(out).toMatch(new RegExp(`^after {3}[\\d.]+ kB in ${file}\n`, 'm'));
    expect(out).toContain('ids, signatures and index are right.');
    expect(statSync(file).mode & 0o077).toBe(0);
    expect(readdirSync(join(file, '..'))).toEqual(['small.db']);
    expect(sizeOf(file)).toBeLessThan(sizeOf(join(directory, 'wok.db')) / 2);
    const copied = (await contentOfCopy(file)).split('\n');
    const all = new Set((await contentOf(directory)).split('\n'));
    expect(copied.length).toBeGreaterThan(300);
    expect(copied.filter((line) => !all.has(line))).toEqual([]);
    client.socket.terminate();
    await relay.stop();
  });

  it('overwrites nothing, and says what to write instead', async () => {
    const directory = await filled(1);
    const place = freshDirectory();
    const file = join(place, 'file');
    writeFileSync(file, 'mine');
    const database = join(directory, 'wok.db');
    const cases: [string[], number, string][] = [
      [[file], exitCodes.refused, `${file} exists already; name another file.`],
      [[database], exitCodes.refused, `${database} exists already; name another file.`],
      [[place], exitCodes.usage, `${place} is a directory; name a file in it.`],
      [[join(place, 'no', 'x')], exitCodes.usage, `There is no directory ${place}/no.`],
      [[join(file, 'x')], exitCodes.usage, `There is no directory ${file}.`],
      [['/proc/x'], exitCodes.inputOutput, '/proc has 0 MB free, and the copy needs 1 MB'],
      [['a', 'b'], exitCodes.usage, 'wok compact cannot use "b". Write wok compact [file].'],
    ];
    for (const [args, status, sentence] of cases) {
      const { out, err, code } = await wokHere(['compact', ...args, '--data', directory]);
      expect(err).toContain(`wok: ${sentence}`);
      expect([out, code], sentence).toEqual(['', status]);
    }
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(readdirSync(place)).toEqual(['file']);
    const none = await wokHere(['compact', join(place, 'x'), '--data', freshDirectory()]);
    expect(none.err).toContain('there is no database in ');
    expect(none.code).toBe(exitCodes.refused);
  });
});

describe('wok compact FILE, when it is ended,', () => {
  it('replaces what a killed one left, and leaves nothing on Ctrl-C', () =>
    inTime(async (scale, within) => {
      const directory = await filled(1500 * scale, 1);
      const place = freshDirectory();
      const file = join(place, 'copy.db');
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
        writeFileSync(`${file}.part-journal`, 'of an earlier one');
        const child = compactProcess([file, '--data', directory]);
        const ended = endOf(child);
        await until(() => sizeOf(`${file}.part`) > 0, 'the copy to begin');
        // The copy and the check of a thousand signatures take longer.
        const done = within(100 * scale);
        child.kill(signal);
        expect(await ended).toBe(signal === 'SIGKILL' ? signal : 'SIGINT');
        const left = readdirSync(place);
        if (signal === 'SIGKILL') expect(left).toContain('copy.db.part');
        else expect(left).toEqual([]);
        done();
      }
      const { code } = await wok(['compact', file, '--data', directory]);
      expect(code).toBe(exitCodes.ok);
      expect(readdirSync(place)).toEqual(['copy.db']);
      expect(await contentOfCopy(file)).toBe(await contentOf(directory));
    }));
});

describe('wok compact -', () => {
  it('writes the copy to standard output, and leaves nothing in the data directory', async () => {
    const directory = await filled(300);
    const file = join(freshDirectory(), 'copy.db');
    const out = openSync(file, 'w');
    const child = spawn(process.execPath, [wokFile, 'compact', '-', '--data', directory], {
      stdio: ['ignore', out, 'ignore'],
    });
    expect(await endOf(child)).toBe(exitCodes.ok);
    closeSync(out);
    expect(rest(directory)).toEqual([]);
    expect(await contentOfCopy(file)).toBe(await contentOf(directory));
  });

  it('says when the other side does not take all of it', async () => {
    const directory = await filled(2000, 1);
    const child = spawn(process.execPath, [wokFile, 'compact', '-', '--data', directory], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (data) => {
      said += String(data);
    });
    child.stdout.destroy();
    expect(await endOf(child)).toBe(exitCodes.inputOutput);
    expect(said).toContain('standard output was closed before the copy was complete');
    expect(rest(directory)).toEqual([]);
  });
});

describe('wok compact', () => {
  it('shrinks the database of a killed relay, with all that is in its log', async () => {
    const directory = await filled(1000);
    const relay = await WokProcess.start({}, directory);
    const client = await Client.connect(relay.url);
    const author = new Author();
    for (let n = 0; n < 50; n++) await client.publish(author.event());
    client.socket.terminate();
    await relay.kill();
    expect(sizeOf(join(directory, 'wok.db-wal'))).toBeGreaterThan(0);
    const before = sizeOf(join(directory, 'wok.db'));
    const content = await contentOf(directory);
    expect(content.split('\n').length).toBe(351);
    const { out, err, code } = await wok(['compact', '--data', directory]);
    expect([err, code]).toEqual(['', exitCodes.ok]);
    expect(out).toMatch(
      /^before {2}.* of it in the write-ahead log\nafter {3}[\d.]+ kB\n[\d.]+ [kM]B given back in \d+ s\.\n$/,
    );
    expect(sizeOf(join(directory, 'wok.db'))).toBeLessThan(before / 2);
    expect(sizeOf(join(directory, 'wok.db-wal'))).toBe(0);
    expect(rest(directory)).toEqual([]);
    expect(await contentOf(directory)).toBe(content);
    const { out: found, code: health } = await wok(['doctor', '--json', '--data', directory]);
    expect(health, found).toBe(exitCodes.ok);
    const again = await startRelay({}, directory);
    const reader = await Client.connect(again.url);
    expect((await reader.publish(author.event()))[2]).toBe(true);
    reader.socket.terminate();
    await again.stop();
  });

  it('refuses a directory on which a relay runs, and says what to do', async () => {
    const directory = await filled(10);
    const relay = await startRelay({}, directory);
    const { out, err, code } = await wok(['compact', '--data', directory]);
    expect(err).toMatch(
      /^wok: another process uses the database in .+; stop the relay .+wok compact <file>\n$/,
    );
    expect([out, code]).toEqual(['', exitCodes.busy]);
    await relay.stop();
  });

  it('refuses a disk that is too full, and leaves the database as it is', async () => {
    const directory = await filled(100);
    const content = await contentOf(directory);
    const full = `import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      fs.statfsSync = () => ({ bavail: 1, bsize: 4096 });
      syncBuiltinESMExports();`;
    const inPlace = await runWok(['compact', '--data', directory], { preload: full });
    expect(inPlace.err).toMatch(
      /^wok: \S+ has 1 MB free, and compacting in place needs 1 MB there; free some space, /,
    );
    expect([inPlace.out, inPlace.code]).toEqual(['', exitCodes.inputOutput]);
    const file = join(freshDirectory(), 'copy.db');
    const copy = await runWok(['compact', file, '--data', directory], { preload: full });
    expect(copy.err).toContain(' free, and the copy needs ');
    expect(copy.code).toBe(exitCodes.inputOutput);
    expect(existsSync(file)).toBe(false);
    expect(rest(directory)).toEqual([]);
    expect(await contentOf(directory)).toBe(content);
  });
});

describe('wok compact in place', () => {
  it('waits for a reader to give the rest back, and says so', async () => {
    const directory = await filled(500);
    const content = await contentOf(directory);
    const reader = new Database(join(directory, 'wok.db'), { readonly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM event').get();
    const { out, code } = await wok(['compact', '--data', directory]);
    expect(out).toContain('Another process reads the database: the file gets smaller when ');
    expect(code).toBe(exitCodes.ok);
    expect(reader.prepare('SELECT count(*) FROM event').pluck().get()).toBe(150);
    reader.close();
    expect(await contentOf(directory)).toBe(content);
    const again = await wok(['compact', '--data', directory]);
    expect(again.out).not.toContain('Another process');
    expect(await contentOf(directory)).toBe(content);
  });

  it('loses nothing, whenever it is killed or interrupted', async () => {
    const source = await filled(6000, 0.9);
    const content = await contentOf(source);
    const bytes = sizeOf(join(source, 'wok.db'));
    const ends: (number | string)[] = [];
    for (const share of [0, 0.05, 0.3, 0.6, 0.9]) {
      for (const signal of ['SIGKILL', 'SIGINT'] as const) {
        const directory = copyOfDirectory(source);
        const log = join(directory, 'wok.db-wal');
        const child = compactProcess(['--data', directory]);
        const ended = endOf(child);
        // SQLite writes all pages to the log before it commits.
        const begun = () => existsSync(log) && sizeOf(log) >= share * bytes;
        await until(() => begun() || child.exitCode !== null, 'the log to grow');
        child.kill(signal);
        ends.push(await ended);
        expect(await contentOf(directory)).toBe(content);
        const { err, code } = await wok(['compact', '--data', directory]);
        expect([err, code]).toEqual(['', exitCodes.ok]);
        expect(rest(directory)).toEqual([]);
        expect(await contentOf(directory)).toBe(content);
      }
    }
    expect(ends.filter((end) => ![0, 'SIGKILL', 'SIGINT'].includes(end))).toEqual([]);
  });
});
