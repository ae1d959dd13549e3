// `wok migrate`, run as a command: dry run, the move with its second pass, the repeated run, files
// that are there already, and the sentences about what is missing.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { readNostrRsRelay } from '../../src/maintenance/migrate/nostr-rs-relay/config.ts';
import { nostrRsRelayEvents } from '../../src/maintenance/migrate/nostr-rs-relay/events.ts';
import type { EventPart } from '../../src/maintenance/migrate/source.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author, now } from '../support/author.ts';
import {
  linesOf,
  NostreamServer,
  NostrRsRelayDatabase,
  psqlStandIn,
  shellScript,
  strfryStandIn,
} from '../support/foreign-relays.ts';
import { WokProcess } from '../support/process.ts';
import { startRelay } from '../support/relay.ts';
import { freshDirectory } from '../support/temporary.ts';
import { runWok, SIGNAL_AT_ONCE, wok, wokHere } from '../support/wok.ts';

const author = new Author();

/** Makes events with different times, oldest first. */
function made(count: number, age = 10_000): NostrEvent[] {
  return Array.from({ length: count }, (_, n) =>
    author.event({
      created_at: now() - age + n,
      tags: [['t', 'x"\\\u{1f600}']],
      content: `"é\n\t${n}`,
    }),
  );
}

/** Returns the events of a data directory, by id. */
async function stored(data: string): Promise<Map<string, NostrEvent>> {
  const { out } = await wokHere(['export', '--data', data]);
  const events = out.split('\n').filter(Boolean);
  return new Map(events.map((line) => JSON.parse(line)).map((one: NostrEvent) => [one.id, one]));
}

const byId = (events: readonly NostrEvent[]) => new Map(events.map((one) => [one.id, one]));

/** Fresh directories of the other relay and of wok, and the flags that name them. */
function places() {
  const [theirs, ours] = [freshDirectory(), freshDirectory()];
  const conf = join(ours, 'relay.conf');
  const data = join(ours, 'data');
  return { theirs, conf, data, flags: ['--config-out', conf, '--data', data] };
}

describe('wok migrate strfry', () => {
  it('shows, copies, catches up, and may be repeated', async () => {
    const { theirs, conf, data, flags } = places();
    const [events, late] = [made(300), made(2, 60)];
    const strfry = strfryStandIn(theirs, { events, late });
    const args = ['migrate', 'strfry', theirs, '--strfry', strfry, ...flags];
    const dry = await wokHere([...args, '--dry-run']);
    expect([dry.err, dry.code]).toEqual(['', exitCodes.ok]);
    expect(dry.out).toMatch(/^ {2}io\.port +7790 +relay\.port$/m);
    expect(dry.out).toContain('Events in strfry export: 300.');
    expect(dry.out).toContain('Dry run: nothing was written.');
    expect([existsSync(conf), existsSync(data)]).toEqual([false, false]);
    const ran = await wokHere(args);
    expect([ran.err, ran.code]).toEqual(['', exitCodes.ok]);
    expect(ran.out).toContain(
      'First pass: 300 events read · 300 added · 0 already stored · 0 refused',
    );
    expect(ran.out).toMatch(
      /Second pass.*: 302 events read · 2 added · 300 already stored · 0 refused/,
    );
    expect(ran.out).toContain(
      'The numbers agree: 300 counted, 300 read = 300 added + 0 already stored + 0 refused.',
    );
    expect(ran.out).toContain(
      'Now is a good moment to switch from strfry: the second pass found 2 new events',
    );
    expect(ran.out).toContain(`wok relay --config ${conf}. It listens on 127.0.0.1:7790`);
    expect(await stored(data)).toEqual(byId([...events, ...late]));
    const calls = readFileSync(join(theirs, 'calls'), 'utf8').trim().split('\n');
    const config = `--config ${join(theirs, 'strfry.conf')}`;
    expect(calls.slice(0, 3)).toEqual([
      `${config} scan --count {}`,
      `${config} scan --count {}`,
      `${config} export`,
    ]);
    expect(Number(/--since=(\d+)$/.exec(calls[3]!)![1])).toBeLessThan(now() - 3_000);
    writeFileSync(conf, `${readFileSync(conf, 'utf8')}\n# mine\n`);
    const again = await wokHere(args);
    expect(again.out).toContain('First pass: 300 events read · 0 added · 300 already stored');
    expect(again.out).toContain(`${conf} is there from an earlier run and stays as it is`);
    expect(readFileSync(conf, 'utf8')).toContain('# mine');
    expect((await stored(data)).size).toBe(302);
    const { storage, io } = loadConfig({ file: conf, env: {}, cwd: '/' });
    expect([storage.directory, io.port]).toEqual([data, 7790]);
  });
});

describe('wok migrate strfry with less', () => {
  it('counts by the export where strfry cannot count, and reads an export file', async () => {
    const { theirs, data, flags } = places();
    const events = made(20);
    const strfry = strfryStandIn(theirs, { events, late: [] }, false);
    const args = ['migrate', 'strfry', join(theirs, 'strfry.conf'), ...flags];
    const { out } = await wokHere([...args, '--strfry', strfry, '--dry-run']);
    expect(out).toContain('Events in strfry export: 20.');
    const ran = await wokHere([...args, '--events', join(theirs, 'events')]);
    expect(ran.out).toContain('20 counted, 20 read = 20 added');
    expect(ran.out).not.toContain('Second pass');
    expect((await stored(data)).size).toBe(20);
  });
});

describe('wok migrate strfry and its events', () => {
  it('says why events were refused, and the sum is right', async () => {
    const { theirs, flags } = places();
    const events = made(5);
    const forged = { ...events[0]!, sig: events[1]!.sig };
    const strfry = strfryStandIn(theirs, {
      events: [...events.slice(1), forged, author.event({ kind: 20_001 })],
      late: [],
    });
    const args = ['migrate', 'strfry', theirs, '--strfry', strfry, '--show-rejected', ...flags];
    const { out, err, code } = await wokHere(args);
    expect(code).toBe(exitCodes.ok);
    expect(out).toContain('6 counted, 6 read = 4 added + 0 already stored + 2 refused');
    expect(out).toContain('1 × invalid: sig is not the signature of the id by the pubkey (line 5)');
    expect(err).toContain(
      `line 5: invalid: sig is not the signature of the id by the pubkey ${forged.id}`,
    );
  });

  it('takes a command for the shell as it is, and only events from a time on', async () => {
    const { theirs, data, flags } = places();
    const strfry = strfryStandIn(theirs, { events: made(3), late: made(1, 30) });
    const command = `LANG=C sh ${strfry}`;
    const rest = ['--strfry', command, '--only', 'events', '--since', '2026-01-31', ...flags];
    const { out, code } = await wokHere(['migrate', 'strfry', theirs, ...rest]);
    expect(code).toBe(exitCodes.ok);
    expect(out).toContain('First pass: 4 events read · 4 added');
    expect(out).not.toContain('Options carried over');
    const calls = readFileSync(join(theirs, 'calls'), 'utf8');
    expect(calls).toContain('scan --count {}\nexport --since=1769817600\n');
    expect(calls).not.toContain('--config');
    expect((await stored(data)).size).toBe(4);
  });

  it('ends with 75 beside a relay of wok, and with 130 after a signal', async () => {
    const { theirs, conf, data } = places();
    const strfry = strfryStandIn(theirs, { events: made(3), late: [] });
    mkdirSync(data);
    const relay = await startRelay({}, data);
    const args = ['migrate', 'strfry', theirs, '--strfry', strfry, '--config-out', conf];
    const busy = await wokHere([...args, '--data', data]);
    expect(busy.code).toBe(exitCodes.busy);
    expect(busy.err).toMatch(/^wok: .*(use|runs)/);
    await relay.stop();
    const { out, code } = await runWok([...args, '--data', data], { preload: SIGNAL_AT_ONCE });
    expect(code).toBe(130);
    expect(out).not.toContain('Second pass');
  });
});

/** Program that WOK_TEST_STRFRY names, for tests with a real strfry. */
const realStrfry = process.env.WOK_TEST_STRFRY;
const NO_STRFRY = 'WOK_TEST_STRFRY does not name the program strfry';

/** Makes a database of a real strfry with these events; returns its strfry.conf. */
function strfryDatabase(directory: string, events: readonly NostrEvent[]): string {
  const conf = join(directory, 'strfry.conf');
  mkdirSync(join(directory, 'db'));
  // The limit of open files may be lower than the one that strfry asks for by default.
  writeFileSync(conf, 'db = "./db/"\nrelay { nofiles = 0 }\n');
  runStrfry(conf, ['import'], linesOf(events));
  return conf;
}

/** Runs a command of a real strfry beside its strfry.conf. */
function runStrfry(conf: string, args: readonly string[], input = ''): string {
  const options = { cwd: dirname(conf), input, encoding: 'utf8' } as const;
  const { stdout, stderr, status } = spawnSync(realStrfry!, ['--config', conf, ...args], options);
  expect(status, stderr).toBe(0);
  return stdout;
}

describe('a real strfry', () => {
  it('is moved with all its events', async ({ skip }) => {
    if (realStrfry === undefined) return skip(NO_STRFRY);
    const { theirs, data, flags } = places();
    const events = made(500);
    const conf = strfryDatabase(theirs, events);
    const ran = await wokHere(['migrate', 'strfry', conf, '--strfry', realStrfry, ...flags]);
    expect([ran.err, ran.code]).toEqual(['', exitCodes.ok]);
    expect(ran.out).toContain('The numbers agree: 500 counted, 500 read = 500 added');
    expect(await stored(data)).toEqual(byId(events));
  });

  it('sends its events by NIP-77, and fetches them back', async ({ skip }) => {
    if (realStrfry === undefined) return skip(NO_STRFRY);
    const events = made(200);
    const conf = strfryDatabase(freshDirectory(), events);
    const data = freshDirectory();
    const relay = await WokProcess.start({}, data);
    runStrfry(conf, ['sync', relay.url, '--dir', 'up']);
    expect(await stored(data)).toEqual(byId(events));
    const other = strfryDatabase(freshDirectory(), []);
    runStrfry(other, ['sync', relay.url, '--dir', 'down']);
    const back = runStrfry(other, ['export']).trim().split('\n');
    expect(byId(back.map((line) => JSON.parse(line)))).toEqual(byId(events));
  });
});

describe('wok migrate nostr-rs-relay', () => {
  it('copies the events that are served, and the keys that have paid', async () => {
    const { theirs, conf, data, flags } = places();
    writeFileSync(
      join(theirs, 'config.toml'),
      '[network]\nport = 8090\n[pay_to_relay]\nenabled = true\nadmission_cost = 21\n',
    );
    const db = new NostrRsRelayDatabase(theirs);
    // More than a page of the reader.
    const events = made(1_200);
    for (const event of events) db.store(event);
    db.store(author.event({ created_at: now() - 50 }), 1);
    db.account(author.pubkey, 1);
    db.account(new Author().pubkey, 0);
    const args = ['migrate', 'nostr-rs-relay', theirs, ...flags];
    const ran = await wokHere(args);
    expect([ran.err, ran.code]).toEqual(['', exitCodes.ok]);
    expect(ran.out).toContain('nostr.db: 1,200; deleted or replaced, not copied: 1.');
    expect(ran.out).toContain('The numbers agree: 1,200 counted, 1,200 read = 1,200 added');
    expect(ran.out).toContain('admitted-keys.txt has the keys that have paid: 1.');
    expect(await stored(data)).toEqual(byId(events));
    const config = loadConfig({ file: conf, env: {}, cwd: '/' });
    expect(config.io).toMatchObject({ host: '0.0.0.0', port: 8090 });
    const [file] = config.admission.files;
    expect(readFileSync(file!, 'utf8')).toContain(`\n${author.pubkey}\n`);
    const payer = new Author().pubkey;
    db.account(payer, 1);
    const again = await wokHere([...args, '--only', 'events']);
    expect(readFileSync(file!, 'utf8').trim().split('\n').slice(1)).toEqual([author.pubkey, payer]);
    expect(again.out).toContain('1,200 events read · 0 added · 1,200 already stored · 0 refused');
    db.close();
  });

  it('reads what came since the first pass, and from a time on', async () => {
    const { theirs } = places();
    const db = new NostrRsRelayDatabase(theirs);
    const [old, first, late] = made(3);
    db.store(old!, null, 1_000);
    db.store(first!, 0, 5_000);
    const source = nostrRsRelayEvents(readNostrRsRelay(theirs, undefined));
    const { signal } = new AbortController();
    const lines = async (parts: readonly EventPart[]) =>
      (await text(parts[0]!.bytes)).trim().split('\n');
    expect(await lines(source.all(signal, 2_000))).toEqual([JSON.stringify(first)]);
    expect(await lines(source.all(signal, undefined))).toHaveLength(2);
    db.store(late!);
    expect(await lines(source.later!(signal))).toContain(JSON.stringify(late));
    db.close();
  });

  it('says what is wrong with a database', async () => {
    const { theirs, flags } = places();
    const run = (...args: string[]) => wokHere(['migrate', 'nostr-rs-relay', ...args, ...flags]);
    const conf = join(theirs, 'config.toml');
    writeFileSync(conf, '[database]\ndata_directory = "db"\n');
    const none = await run(conf);
    expect([none.err, none.code]).toEqual([
      `wok: there is no database ${join(theirs, 'db/nostr.db')}; name it, or its directory, with --database.\n`,
      exitCodes.refused,
    ]);
    writeFileSync(join(theirs, 'nostr.db'), 'no database at all, but a text'.repeat(100));
    const text = await run(conf, '--database', theirs);
    expect(text.err).toBe(`wok: ${join(theirs, 'nostr.db')} is not an SQLite database.\n`);
    const { file, close } = otherDatabase();
    const other = await run(conf, '--database', file);
    expect(other.err).toContain(`${file} is no database of nostr-rs-relay`);
    close();
    writeFileSync(conf, '[database]\nengine = "postgres"\n');
    expect((await run(conf)).err).toMatch(
      /does not read the PostgreSQL .* --events events\.jsonl\.\n$/,
    );
  });
});

/** Makes an SQLite database of another program. */
function otherDatabase(): { file: string; close: () => void } {
  const directory = freshDirectory();
  const db = new NostrRsRelayDatabase(directory);
  db.drop('event');
  return { file: db.file, close: () => db.close() };
}

describe('wok migrate nostream', () => {
  it('asks psql, without the password in its arguments', async () => {
    const { theirs, data, flags } = places();
    const [events, late] = [made(50), made(1, 20)];
    const psql = psqlStandIn(theirs, { events, late });
    const url = 'postgresql://pier:p%40ss@db.example:5433/pier';
    const args = ['migrate', 'nostream', theirs, '--psql', psql, '--database', url, ...flags];
    const ran = await wokHere(args);
    expect([ran.err, ran.code]).toEqual(['', exitCodes.ok]);
    expect(ran.out).toContain(
      'Events in postgresql://pier@db.example:5433/pier: 50; deleted or replaced, not copied: 3.',
    );
    expect(ran.out).toMatch(/Second pass.*: 51 events read · 1 added · 50 already stored/);
    expect(await stored(data)).toEqual(byId([...events, ...late]));
    const calls = readFileSync(join(theirs, 'calls'), 'utf8');
    expect(calls.match(/p@ss/g)).toHaveLength(calls.match(/^p@ss --no-psqlrc/gm)!.length);
    expect(calls.match(/--no-psqlrc/g)).toHaveLength(calls.match(/p@ss/g)!.length);
    expect(calls).not.toContain('p%40ss');
  });

  it('finds the database in the environment file of nostream', async () => {
    const { theirs, flags } = places();
    mkdirSync(join(theirs, '.nostr'));
    const psql = psqlStandIn(join(theirs, '.nostr'), { events: made(1), late: [] });
    writeFileSync(
      join(theirs, '.env'),
      'DB_HOST=db.example\nDB_USER=pier\nDB_PASSWORD="secret"\nDB_NAME=relay\nRELAY_PORT=8010\n',
    );
    const args = ['migrate', 'nostream', theirs, '--psql', psql, '--dry-run', ...flags];
    const { out, code } = await wokHere(args);
    expect(code).toBe(exitCodes.ok);
    expect(out).toContain('Events in relay on db.example:5432: 1;');
    expect(out).toMatch(/io\.port +8010 +env\.RELAY_PORT/);
    expect(out).not.toContain('secret"');
    const calls = readFileSync(join(theirs, '.nostr/calls'), 'utf8');
    expect(calls).toContain('--host db.example --port 5432 --username pier --dbname relay');
  });

  it('says what psql said', async () => {
    const { theirs, flags } = places();
    psqlStandIn(theirs, { events: [], late: [] });
    const broken = shellScript(
      join(theirs, 'broken'),
      'echo "one\nFATAL: no such role\nbye" >&2\nexit 2\n',
    );
    const url = ['--database', 'postgresql:///x'];
    const run = (psql: string) =>
      wokHere(['migrate', 'nostream', theirs, '--psql', psql, ...url, ...flags]);
    const failed = await run(broken);
    expect(failed.code).toBe(exitCodes.unavailable);
    expect(failed.err).toBe(`wok: ${broken} ended with status 2: FATAL: no such role\n`);
    expect((await run('echo 7 #')).err).toMatch(/^wok: psql answered "7\\n" instead of the number/);
    expect((await run('no-such-command-here -x')).err).toMatch(
      /there is no program no-such-command-here -x; install the client of PostgreSQL/,
    );
  });
});

describe('wok migrate nostream with a real PostgreSQL', () => {
  it('moves all its events, exactly as they were', async ({ skip }) => {
    const problem = NostreamServer.problem();
    if (problem !== undefined) return skip(problem);
    const { theirs, conf, data, flags } = places();
    writeFileSync(join(theirs, 'settings.yaml'), 'payments: { enabled: true }\n');
    const server = await NostreamServer.start(freshDirectory());
    try {
      const events = made(200);
      const odd = author.event({
        created_at: now() - 100,
        content: 'a\\b\r\n"\u0001\u007f\u2028 \u{1f41a} \\x01',
        tags: [['x', '', 'é"\\'], ['-']],
      });
      server.store([...events, odd], { age: 100_000 });
      server.store([author.event({ created_at: now() - 5 })], { isDeleted: true });
      server.admit(author.pubkey);
      const args = ['migrate', 'nostream', theirs, '--database', server.url, ...flags];
      const ran = await wokHere(args);
      expect([ran.err, ran.code]).toEqual(['', exitCodes.ok]);
      expect(ran.out).toContain('The numbers agree: 201 counted, 201 read = 201 added');
      expect(ran.out).toContain('deleted or replaced, not copied: 1.');
      expect(await stored(data)).toEqual(byId([...events, odd]));
      const [file] = loadConfig({ file: conf, env: {}, cwd: '/' }).admission.files;
      expect(readFileSync(file!, 'utf8')).toContain(author.pubkey);
      // What arrives late may be dated early, and what is dated late may have arrived early.
      const [arrived, dated] = [made(1, 900_000), made(1, 30)];
      server.store(arrived, { age: 10 });
      server.store(dated, { age: 900_000 });
      const since = String(now() - 20_000);
      const again = await wokHere([...args, '--since', since]);
      expect(again.out).toMatch(/First pass: \d+ events read · 2 added/);
    } finally {
      await server.stop();
    }
  });
});

describe('wok migrate khatru-jsonl', () => {
  it('takes a file or a directory of them, and the relay information document', async () => {
    const { theirs, conf, data, flags } = places();
    const events = made(40);
    mkdirSync(join(theirs, 'dump'));
    writeFileSync(join(theirs, 'dump/a.jsonl'), linesOf(events.slice(0, 15)).trimEnd());
    writeFileSync(join(theirs, 'dump/b.jsonl.gz'), gzipSync(linesOf(events.slice(15))));
    writeFileSync(join(theirs, 'info.json'), '{"name":"Jetty"}');
    const rest = ['--info', join(theirs, 'info.json'), ...flags];
    const ran = await wokHere(['migrate', 'khatru-jsonl', join(theirs, 'dump'), ...rest]);
    expect([ran.err, ran.code]).toEqual(['', exitCodes.ok]);
    expect(ran.out).toContain('Events in 2 files: 40.');
    expect(ran.out).toContain('The numbers agree: 40 counted, 40 read = 40 added');
    expect(ran.out).toContain('To switch from the relay:');
    expect(await stored(data)).toEqual(byId(events));
    expect(loadConfig({ file: conf, env: {}, cwd: '/' }).info.name).toBe('Jetty');
  });

  it('ends with 65 where a file is damaged or has no events', async () => {
    const { theirs, flags } = places();
    const file = join(theirs, 'a.jsonl.gz');
    const whole = gzipSync(linesOf(made(50)));
    writeFileSync(file, whole.subarray(0, whole.length - 20));
    writeFileSync(join(theirs, 'b.jsonl'), linesOf(made(3)));
    const cut = await wok(['migrate', 'khatru-jsonl', theirs, ...flags]);
    expect(cut.err).toContain('a.jsonl.gz: the gzip data end too soon');
    expect(cut.out).toMatch(/\d+ events read · [1-9]\d* added/);
    expect(cut.code).toBe(exitCodes.refused);
    writeFileSync(file, 'no events\nat all\n');
    const none = await wokHere(['migrate', 'khatru-jsonl', file, ...flags]);
    expect(none.out).toContain('2 events read · 0 added · 0 already stored · 2 refused');
    expect(none.code).toBe(exitCodes.refused);
  });
});

describe('the file of --config-out', () => {
  it('is never replaced without --force', async () => {
    const { theirs, conf, data, flags } = places();
    const strfry = strfryStandIn(theirs, { events: [], late: [] });
    const args = ['migrate', 'strfry', theirs, '--strfry', strfry, ...flags];
    writeFileSync(conf, '[io]\nport = 7001\n');
    const refused = await wokHere(args);
    expect([refused.out, refused.err, refused.code]).toEqual([
      '',
      `wok: ${conf} exists already; name another file with --config-out, replace it with --force, or copy only the events with --only events.\n`,
      exitCodes.refused,
    ]);
    expect((await wokHere([...args, '--dry-run'])).code).toBe(exitCodes.ok);
    expect((await wokHere([...args, '--only', 'events'])).code).toBe(exitCodes.ok);
    expect(readFileSync(conf, 'utf8')).toBe('[io]\nport = 7001\n');
    const forced = await wokHere([...args, '--only', 'config', '--force']);
    expect(forced.out).toContain(`${conf} was written.`);
    expect(loadConfig({ file: conf, env: {}, cwd: '/' }).storage.directory).toBe(data);
  });
});

/** Directory with a wrong configuration of each relay, and an empty one. */
const directory = freshDirectory();
const conf = join(directory, 'strfry.conf');
const yaml = join(directory, 'settings.yaml');
const toml = join(directory, 'config.toml');
writeFileSync(conf, 'db = "./none/"\n');
writeFileSync(yaml, 'a: 1\n');
writeFileSync(toml, '[x]\n');
const out = ['--config-out', join(directory, 'relay.conf')];
const empty = freshDirectory();

/** Command lines that cannot be carried out, with status and a part of the sentence about them. */
const REFUSED: [args: string[], code: number, sentence: string][] = [
  [['strfri', '.'], exitCodes.usage, 'Did you mean'],
  [
    ['strfry'],
    exitCodes.usage,
    'wok migrate strfry needs <path>. Write wok migrate strfry <path>.',
  ],
  [['strfry', conf, '--psql', 'x'], exitCodes.usage, '--psql is for wok migrate nostream'],
  [
    ['strfry', conf, '--only', 'all'],
    exitCodes.usage,
    '--only must be config or events, not "all".',
  ],
  [['strfry', conf, '--since', 'soon'], exitCodes.usage, '--since must be seconds since 1970'],
  [
    ['strfry', conf, '--events', 'x', '--since', '1'],
    exitCodes.usage,
    '--since has no effect beside --events',
  ],
  [
    ['strfry', join(empty, 'x')],
    exitCodes.refused,
    `there is no file or directory ${join(empty, 'x')}.`,
  ],
  [
    ['strfry', empty],
    exitCodes.refused,
    `there is no strfry.conf in ${empty}; name the file itself.`,
  ],
  [
    ['strfry', conf],
    exitCodes.refused,
    'Name the directory in which strfry is started with --run-in',
  ],
  [
    ['strfry', conf, '--strfry', 'x y', '--config-out', empty],
    exitCodes.usage,
    `${empty} is a directory; name a file in it.`,
  ],
  [
    ['strfry', conf, '--config-out', join(empty, 'a/b')],
    exitCodes.usage,
    'for --config-out; create it.',
  ],
  [
    ['strfry', conf, '--events', join(empty, 'x')],
    exitCodes.refused,
    `there is no file ${join(empty, 'x')}.`,
  ],
  [
    ['strfry', conf, '--events', empty],
    exitCodes.refused,
    'give the files names that end in .jsonl',
  ],
  [
    ['nostr-rs-relay', empty],
    exitCodes.refused,
    'name the directory of nostr-rs-relay or its config.toml.',
  ],
  [['nostream', empty], exitCodes.refused, `there is no settings.yaml in ${empty}`],
  [['nostream', yaml], exitCodes.refused, 'no database is named: write --database postgresql://'],
  [
    ['khatru-jsonl', conf, '--info', yaml],
    exitCodes.refused,
    `${yaml} is no relay information document. Save it with: curl`,
  ],
];

describe('wok migrate says what to write instead of', () => {
  it.each(REFUSED)('%j', async (args, code, sentence) => {
    const wrong = await wokHere([
      'migrate',
      ...args,
      ...(args.includes('--config-out') ? [] : out),
    ]);
    expect(wrong.err).toContain(sentence);
    expect(wrong.code).toBe(code);
    expect(existsSync(join(directory, 'relay.conf'))).toBe(false);
  });
});

describe('wok migrate names the place in', () => {
  it.each([
    [
      'strfry',
      'strfry.conf',
      'a {\n b = \n}',
      'line 3, column 1: a value must stand here; text must be in double quotes.',
    ],
    ['nostr-rs-relay', 'config.toml', 'a = 1\nb = x\n', 'line 2, column 5: this is not TOML'],
    ['nostream', 'settings.yaml', 'a: 1\nb: [1,\n', 'this is not YAML'],
    ['nostream', 'settings.yaml', '- 1\n', 'has no settings; name the settings.yaml.'],
  ])('a wrong file of %s (%s)', async (source, name, content, sentence) => {
    const file = join(freshDirectory(), name);
    writeFileSync(file, content);
    const { err, code } = await wokHere(['migrate', source, file, ...out]);
    expect(err).toContain(`wok: ${file} `);
    expect(err).toContain(sentence);
    expect(code).toBe(exitCodes.refused);
  });

  it('a program that is not there', async () => {
    const { theirs, flags } = places();
    strfryStandIn(theirs, { events: [], late: [] });
    const missing = join(theirs, 'no-strfry');
    const { err, code } = await wokHere([
      'migrate',
      'strfry',
      theirs,
      '--strfry',
      missing,
      ...flags,
    ]);
    expect(err).toMatch(
      /there is no program .*no-strfry; name it with --strfry PROGRAM, or export/,
    );
    expect(code).toBe(exitCodes.unavailable);
  });
});
