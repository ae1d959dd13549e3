// Data directories that cannot be used, for every command that takes `--data`, and the permissions
// of everything that wok makes. Relays, and commands as another user or with a umask, run in their
// own processes, other commands in this one; makeDirectory as a unit.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/cli.ts';
import { bareName } from '../../src/cli/command.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { makeDirectory } from '../../src/lib/make-directory.ts';
import type { Finding } from '../../src/maintenance/doctor/finding.ts';
import { packageRoot } from '../../src/paths.ts';
import { Author } from '../support/author.ts';
import { WAIT_MILLISECONDS } from '../support/ceiling.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory } from '../support/relay.ts';
import { type Ran, runWok, wokHere } from '../support/wok.ts';

const OTHER_USER = 65_534;
/** Address at which no relay is. */
const NO_RELAY = 'ws://127.0.0.1:1';
const ID = '5c83da77af1dec6d7289834998ad7aafbd9e2191396d75ec3cc27f5a77226f36';

function routerFile(): string {
  const file = join(freshDirectory(), 'router.conf');
  writeFileSync(file, `streams { a { dir = "down" urls = ["${NO_RELAY}"] } }`);
  return file;
}

/** Calls of every command that takes `--data`. */
const calls: Readonly<Record<string, string[][]>> = {
  relay: [['--port', '0']],
  reload: [[]],
  service: [['restart', '--graceful']],
  status: [[]],
  top: [['--once']],
  slow: [[]],
  metrics: [[]],
  mod: [['audit'], ['ban', 'kind', '1']],
  invite: [[]],
  why: [[ID], ['--reads']],
  policy: [['test', '/dev/null']],
  config: [['check']],
  import: [['/dev/null']],
  export: [[]],
  scan: [['{}'], ['--count', '{}']],
  delete: [
    ['--age', '1d'],
    ['--age', '1d', '--dry-run'],
  ],
  info: [[], ['--json']],
  stats: [[], ['--by', 'author']],
  compact: [[], ['COPY'], ['-']],
  backup: [['COPY'], ['COPY', '--compact']],
  restore: [['BACKUP']],
  sync: [[NO_RELAY]],
  stream: [[NO_RELAY]],
  router: [[routerFile()]],
  negentropy: [['list'], ['add', '{"kinds":[0]}']],
  migrate: [['khatru-jsonl', '/dev/null', '--only', 'events']],
  doctor: [[], ['--quick'], ['--repair'], ['--json']],
};

const MAKES = ['relay', 'import', 'restore', 'sync', 'stream', 'router', 'negentropy', 'migrate'];
const READS = ['export', 'scan', 'delete', 'info', 'stats', 'compact', 'backup', 'doctor'];
/** Places that are tried with every command. */
const WITH_ALL = new Set(['in /proc, where nothing can be made', 'below a link to itself']);
/** Commands that read a file first, which another user may not. */
const READ_FILES = ['backup', 'restore', 'import', 'router', 'migrate'];
/** Commands that need no data directory. */
const FREE = ['policy', 'config'];

/** Commands that run in a process of their own: what they do at their end is part of the test. */
const PROCESSES: ReadonlySet<string> = new Set(['relay', 'bench', 'service']);

/** Runs wok to its end; a process that does not end is killed and has no status. */
function run(args: readonly string[], uid?: number): Promise<Ran> {
  if (uid === undefined && !PROCESSES.has(args[0]!)) return wokHere(args);
  const as = uid === undefined ? {} : { uid };
  return runWok(args, { milliseconds: WAIT_MILLISECONDS, ...as });
}

async function backupFile(): Promise<string> {
  const directory = freshDirectory();
  await wokHere(['import', '/dev/null', '--data', directory]);
  return join(directory, 'wok.db');
}

it('tries every command that takes --data', () => {
  const names = commands.filter(({ flags }) => flags.some((flag) => bareName(flag) === 'data'));
  expect(names.map(({ name }) => name).sort()).toEqual(Object.keys(calls).sort());
});

/** Places that cannot be a data directory, how to make each, and the exit statuses. */
const PLACES: [string, (fresh: string) => string, number[]][] = [
  ['in /proc, where nothing can be made', () => '/proc/wok-data', [exitCodes.cannotCreate]],
  ['deep in /proc', () => '/proc/self/wok/data', [exitCodes.cannotCreate]],
  ['in /sys', () => '/sys/wok/data', [exitCodes.cannotCreate, exitCodes.noPermission]],
  [
    'that is a file',
    (fresh) => {
      writeFileSync(join(fresh, 'file'), '');
      return join(fresh, 'file');
    },
    [exitCodes.cannotCreate],
  ],
  ['below a device', () => '/dev/null/data', [exitCodes.cannotCreate]],
  [
    'that is a link to nothing',
    (fresh) => {
      symlinkSync(join(fresh, 'nowhere'), join(fresh, 'link'));
      return join(fresh, 'link');
    },
    [exitCodes.cannotCreate],
  ],
  [
    'below a link to itself',
    (fresh) => {
      symlinkSync(join(fresh, 'loop'), join(fresh, 'loop'));
      return join(fresh, 'loop', 'data');
    },
    [exitCodes.cannotCreate],
  ],
  ['with too long a name', (fresh) => join(fresh, 'x'.repeat(300)), [exitCodes.cannotCreate]],
];

describe('a data directory that cannot be', () => {
  it.each(PLACES)('%s', async (where, make, statuses) => {
    const fresh = freshDirectory();
    const place = make(fresh);
    const backup = await backupFile();
    const copy = join(fresh, 'copy.db');
    // One command of each sort is enough for the other places.
    const tried = Object.entries(calls).filter(
      ([name]) => WITH_ALL.has(where) || ['relay', 'export', 'status'].includes(name),
    );
    for (const [name, lists] of tried) {
      for (const list of lists) {
        const words = list.map((word) => ({ COPY: copy, BACKUP: backup })[word] ?? word);
        const { out, err, code } = await run([name, ...words, '--data', place]);
        const what = `wok ${name} ${words.join(' ')}: ${code} ${err}`;
        if (FREE.includes(name)) expect(code, what).toBe(exitCodes.ok);
        else if (MAKES.includes(name)) expect(statuses, what).toContain(code);
        else if (READS.includes(name)) expect(code, what).toBe(exitCodes.refused);
        else expect(code, what).toBe(exitCodes.unavailable);
        if (FREE.includes(name)) continue;
        // wok migrate has counted the events before.
        if (name !== 'migrate') expect(out, what).toBe('');
        expect(err, what).toMatch(/^wok: [^\n]+\n$/);
        expect(err, what).toContain(place);
      }
    }
    expect(existsSync(copy)).toBe(false);
  });

  it('is told of where other paths are given', async () => {
    const directory = freshDirectory();
    writeFileSync(join(directory, 'file'), '');
    await wokHere(['import', '/dev/null', '--data', directory]);
    const inFile = join(directory, 'file', 'x');
    const cases: [string[], number][] = [
      [['backup', '/proc/x'], exitCodes.inputOutput],
      [['backup', inFile], exitCodes.usage],
      [['backup', directory, '--force'], exitCodes.usage],
      [['compact', '/proc/x'], exitCodes.inputOutput],
      [['compact', inFile], exitCodes.usage],
      [['restore', directory], exitCodes.usage],
      [['restore', inFile], exitCodes.usage],
      [['import', directory], exitCodes.usage],
      [['import', inFile], exitCodes.usage],
    ];
    for (const [words, status] of cases) {
      const { out, err, code } = await run([...words, '--data', directory]);
      expect([words, code, out]).toEqual([words, status, '']);
      expect(err).toMatch(/^wok: [^\n]+\n/);
    }
    const others: [string[], number][] = [
      [['service', 'install', '--no-start', '--root', '/proc/x'], exitCodes.cannotCreate],
      [['metrics', '--table-in', '/proc/x'], exitCodes.refused],
      [['bench', 'generate', '--events', '100', '--cache', '/proc/x'], exitCodes.crash],
      [['bench', 'generate', '--events', '100', '--out', '/proc/x/y'], exitCodes.crash],
    ];
    for (const [words, status] of others) {
      const { out, err, code } = await run(words);
      expect([words, code, out]).toEqual([words, status, '']);
      expect(err).toMatch(/^wok( bench)?: [^\n]+\n$/);
    }
  });
});

/**
 * Returns true if commands can run as another user, who can read this checkout; this takes the
 * superuser.
 */
function canRunAsOtherUser(): boolean {
  if (process.getuid?.() !== 0) return false;
  const args = [join(packageRoot, 'dist/src/wok.js'), '--version'];
  return spawnSync(process.execPath, args, { uid: OTHER_USER, gid: OTHER_USER }).status === 0;
}

describe.runIf(canRunAsOtherUser())('a data directory of another user', () => {
  /** Makes a directory that the other user may look into and not write to. */
  const forOthers = () => {
    const fresh = freshDirectory();
    chmodSync(dirname(fresh), 0o711);
    chmodSync(fresh, 0o755);
    return fresh;
  };

  it('that may not be looked into', async () => {
    const fresh = forOthers();
    const place = join(fresh, 'data');
    mkdirSync(place, { mode: 0o700 });
    await wokHere(['import', '/dev/null', '--data', place]);
    for (const [name, lists] of Object.entries(calls)) {
      if (FREE.includes(name) || READ_FILES.includes(name)) continue;
      const { err, code } = await run([name, ...lists[0]!, '--data', place], OTHER_USER);
      const what = `wok ${name}: ${code} ${err}`;
      expect([exitCodes.noPermission, exitCodes.cannotCreate], what).toContain(code);
      expect(err, what).toMatch(/^wok: [^\n]+\n$/);
      expect(err, what).toContain(place);
    }
  });

  it('in which nothing may be made', async () => {
    const fresh = forOthers();
    for (const place of [fresh, join(fresh, 'new', 'data')]) {
      for (const words of [
        ['relay', '--port', '0'],
        ['import', '/dev/null'],
      ]) {
        const { err, code } = await run([...words, '--data', place], OTHER_USER);
        expect(err).toMatch(
          /^wok: the database .+ cannot be created: this user may not write there\n$/,
        );
        expect(code).toBe(exitCodes.cannotCreate);
      }
    }
    expect(readdirSync(fresh)).toEqual([]);
  });
});

describe('makeDirectory', () => {
  it('makes what is missing, with these permissions, and leaves what is there', () => {
    const fresh = freshDirectory();
    chmodSync(fresh, 0o711);
    makeDirectory(join(fresh, 'a', 'b', 'c'), 0o750);
    for (const made of ['a', 'a/b', 'a/b/c']) {
      expect(statSync(join(fresh, made)).mode & 0o777).toBe(0o750 & ~process.umask());
    }
    chmodSync(join(fresh, 'a'), 0o700);
    makeDirectory(join(fresh, 'a', 'b'), 0o750);
    expect(statSync(join(fresh, 'a')).mode & 0o777).toBe(0o700);
    expect(statSync(fresh).mode & 0o777).toBe(0o711);
    symlinkSync(join(fresh, 'a'), join(fresh, 'link'));
    makeDirectory(join(fresh, 'link', 'd'), 0o750);
    expect(existsSync(join(fresh, 'a', 'd'))).toBe(true);
  });
});

/** Runs a command with this umask, which may let others read. */
async function wokWithUmask(umask: string, args: readonly string[], input = '') {
  const { err, code } = await runWok(args, { umask, input });
  expect(`${code} ${err}`).toBe('0 ');
}

/** Returns the permissions of everything in a directory, by name. */
function permissions(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const modes = names.map((name) => {
    const { mode } = statSync(join(directory, name), { throwIfNoEntry: false }) ?? { mode: 0 };
    return [name, (mode & 0o777).toString(8)];
  });
  return Object.fromEntries(modes);
}

function expectPrivate(directory: string, what: string): void {
  expect(statSync(directory).mode & 0o027, what).toBe(0);
  for (const [name, mode] of Object.entries(permissions(directory))) {
    // No permissions for others, and no writing for the group.
    expect(Number.parseInt(mode, 8) & 0o027, `${what}: ${name} has ${mode}`).toBe(0);
  }
}

describe('what a relay makes', () => {
  it('directory, database, log, lock and sockets', async () => {
    const directory = join(freshDirectory(), 'new', 'data');
    const relay = WokProcess.spawn({ 'membership.enabled': true }, directory, [], [], {});
    await relay.listening();
    await until(() => existsSync(join(directory, 'wok.sock')), 'the control socket');
    const made = permissions(directory);
    expect(Object.keys(made)).toEqual(
      expect.arrayContaining([
        'wok.db',
        'wok.db-wal',
        'wok.db-shm',
        'wok.lock',
        'wok.sock',
        'wok-nostr.sock',
      ]),
    );
    expect(made).toMatchObject({ 'wok.sock': '600', 'wok-nostr.sock': '600', 'relay.key': '600' });
    expectPrivate(directory, 'relay');
    expectPrivate(join(directory, '..'), 'relay');
    await relay.kill();
  });
});

describe('what wok makes', () => {
  const author = new Author();

  it.each(['022', '000', '077'])('commands, with umask %s', async (umask) => {
    const home = freshDirectory();
    const directory = join(home, 'data');
    const data = ['--data', directory];
    const lines = Array.from({ length: 20 }, () => `${JSON.stringify(author.event())}\n`);
    await wokWithUmask(umask, ['import', ...data], lines.join(''));
    expectPrivate(directory, 'import');
    if (umask === '022') {
      expect(permissions(directory)).toEqual({ 'wok.db': '640', 'wok.lock': '640' });
    }
    await wokWithUmask(umask, ['delete', '--age', '100y', ...data]);
    expectPrivate(directory, 'delete');
    const backups = join(home, 'backups');
    mkdirSync(backups, { mode: 0o750 });
    await wokWithUmask(umask, ['backup', join(backups, 'plain.db'), ...data]);
    await wokWithUmask(umask, ['backup', join(backups, 'compact.db'), '--compact', ...data]);
    await wokWithUmask(umask, ['compact', join(backups, 'small.db'), ...data]);
    expect(Object.values(permissions(backups))).toEqual(['600', '600', '600']);
    await wokWithUmask(umask, ['compact', ...data]);
    await wokWithUmask(umask, ['info', ...data]);
    expectPrivate(directory, 'compact');
    const other = join(home, 'other');
    await wokWithUmask(umask, ['restore', join(backups, 'plain.db'), '--data', other]);
    expectPrivate(other, 'restore');
    await wokWithUmask(umask, ['restore', join(backups, 'plain.db'), '--force', ...data]);
    expectPrivate(directory, 'restore --force');
  });

  it('the doctor has nothing to say about', async () => {
    const directory = join(freshDirectory(), 'data');
    await wokWithUmask('022', ['import', '--data', directory]);
    expect(await mode(directory)).toMatchObject({ severity: 'ok' });
  });

  it('of older versions the doctor finds, and says how to change', async () => {
    const directory = join(freshDirectory(), 'data');
    await wokWithUmask('022', ['import', '--data', directory]);
    chmodSync(directory, 0o755);
    expect(await mode(directory)).toMatchObject({ severity: 'ok' });
    chmodSync(join(directory, 'wok.db'), 0o644);
    chmodSync(join(directory, 'wok.lock'), 0o644);
    const { severity, advice } = await mode(directory);
    expect(severity).toBe('warn');
    const child = spawn('sh', ['-c', advice]);
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(statSync(directory).mode & 0o777).toBe(0o750);
    expect(permissions(directory)).toMatchObject({ 'wok.db': '640', 'wok.lock': '640' });
    expectPrivate(directory, 'what was there');
    // The relay starts with these permissions, and gives new files the same.
    const relay = await WokProcess.start({}, directory);
    expectPrivate(directory, 'the relay afterwards');
    await relay.kill();
  });

  async function mode(directory: string): Promise<Finding> {
    const { out } = await wokHere(['doctor', '--json', '--quick', '--data', directory]);
    const { findings } = JSON.parse(out) as { findings: Finding[] };
    return findings.find(({ area, name }) => area === 'files' && name === 'mode')!;
  }
});
