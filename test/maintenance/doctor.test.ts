// `wok doctor`, run as a command on databases that were damaged on purpose; a relay on the repaired
// database shows the result. examineMachine as a unit.

import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import type { Finding } from '../../src/maintenance/doctor/finding.ts';
import { examineMachine, type Machine } from '../../src/maintenance/doctor/machine.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { type Db, termKey } from '../../src/store/database/open.ts';
import { TermHasher } from '../../src/store/index/terms.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { WokProcess } from '../support/process.ts';
import { freshDirectory, startRelay, testConfig } from '../support/relay.ts';
import { wok, wokHere } from '../support/wok.ts';

const AUTHOR = new Author();
const NOTES = Array.from({ length: 120 }, (_, n) =>
  AUTHOR.event({ created_at: now() - 5000 + n, tags: [['t', `tag ${n % 5}`]], content: `${n}` }),
);
const PROFILES = [100, 50].map((age) => AUTHOR.event({ kind: 0, created_at: now() - age }));

async function imported(events: readonly NostrEvent[]): Promise<string> {
  const directory = freshDirectory();
  const lines = events.map((one) => `${JSON.stringify(one)}\n`);
  await wok(['import', '--data', directory], lines.join(''));
  return directory;
}

let original: string;
beforeAll(async () => {
  original = await imported([...NOTES, PROFILES[1]!]);
});

/** Makes a database with the notes and the newer profile. */
function filled(): string {
  const directory = freshDirectory();
  copyFileSync(join(original, 'wok.db'), join(directory, 'wok.db'));
  return directory;
}

function tamper(directory: string, work: (db: Db, hasher: TermHasher) => void): void {
  const db = new Database(join(directory, 'wok.db'));
  work(db, new TermHasher(termKey(db)));
  db.close();
}

async function doctor(directory: string, ...flags: string[]) {
  const { out, err, code } = await wokHere(['doctor', '--json', '--data', directory, ...flags]);
  const { findings, repaired } = JSON.parse(out || '{"findings":[]}') as {
    findings: Finding[];
    repaired: string[];
  };
  const names = (severity: string) =>
    findings
      .filter((one) => one.area === 'database' && one.severity === severity)
      .map(({ name }) => name);
  return { err, code, findings, repaired, bad: names('bad'), warn: names('warn') };
}

/** Expects all notes in the answer to each kind of query that the index knows. */
async function expectWhole(directory: string, notes: readonly NostrEvent[]): Promise<void> {
  const relay = await startRelay({}, directory);
  const client = await Client.connect(relay.url);
  const wanted = notes.map(({ id }) => id).sort();
  const filters: unknown[] = [
    { authors: [AUTHOR.pubkey], kinds: [1] },
    { kinds: [1] },
    { ids: wanted },
    { '#t': [0, 1, 2, 3, 4].map((n) => `tag ${n}`) },
  ];
  for (const filter of filters) {
    const { events } = await client.query(filter);
    expect(events.map(({ id }) => id).sort(), JSON.stringify(filter)).toEqual(wanted);
  }
  client.socket.terminate();
  await relay.stop();
}

describe('wok doctor', () => {
  it('finds nothing wrong with a database in order, alone and beside its relay', async () => {
    const directory = filled();
    const alone = await doctor(directory);
    expect(alone.bad).toEqual([]);
    expect(alone.code).toBe(exitCodes.ok);
    const relay = await WokProcess.start({}, directory);
    const client = await Client.connect(relay.url);
    for (let n = 0; n < 20; n++) await client.publish(AUTHOR.event());
    const beside = await doctor(directory);
    expect(beside.bad).toEqual([]);
    expect(beside.findings.find(({ name }) => name === 'descriptors')!.text).toContain(
      `process ${relay.pid}`,
    );
    const repair = await wok(['doctor', '--repair', '--data', directory]);
    expect(repair.code).toBe(exitCodes.ok);
    const text = await wok(['doctor', '--quick', '--data', directory]);
    expect(text.out).toMatch(/^ok {4}database pages .*^ok {4}disk space/ms);
    await relay.kill();
  });

  it('repairs nothing while a relay runs', async () => {
    const directory = filled();
    tamper(directory, (db) => db.exec('DELETE FROM posting WHERE seq = 3'));
    const relay = await WokProcess.start({}, directory);
    const { err, code } = await doctor(directory, '--repair');
    expect(err).toContain('in use by another process');
    expect(code).toBe(exitCodes.busy);
    await relay.kill();
  });

  it('fails where there is no database', async () => {
    const { err, code } = await doctor(freshDirectory());
    expect(err).toContain('there is no database in');
    expect(code).toBe(exitCodes.refused);
  });
});

describe('the index in wok doctor', () => {
  it.each<[string, string[], (db: Db, hasher: TermHasher) => void]>([
    [
      'missing postings',
      ['index-missing'],
      (db) => {
        db.exec('DELETE FROM posting WHERE seq % 7 = 0 AND term <> 0');
      },
    ],
    [
      'postings with a wrong kind',
      ['index-missing'],
      (db) => {
        db.exec('UPDATE posting SET kind = kind + 65536 WHERE seq = 9');
      },
    ],
    [
      'postings of no event',
      [],
      (db) => {
        db.exec(
          'INSERT INTO posting SELECT term, created_at, seq + 1000, kind FROM posting WHERE seq < 30',
        );
      },
    ],
    [
      'postings of other events',
      ['index-wrong'],
      (db, hasher) => {
        db.prepare('INSERT INTO posting VALUES (?, 5, 3, 1)').run(hasher.tag('t', 'other'));
      },
    ],
    [
      'living events that are marked as removed',
      ['sweep'],
      (db) => {
        db.exec("INSERT INTO sweep VALUES (4, 1, x'')");
      },
    ],
    [
      'an index that reaches beyond the log',
      ['indexed'],
      (db) => {
        db.exec("UPDATE meta SET value = 5000 WHERE name = 'indexed_seq'");
      },
    ],
    [
      'an event twice',
      ['repeated'],
      (db) => {
        db.exec(`INSERT INTO event SELECT 500, created_at, kind, expires_at, json, received_at FROM event WHERE seq = 8;
        INSERT INTO posting SELECT term, created_at, 500, kind FROM posting WHERE seq = 8;
        UPDATE meta SET value = 500 WHERE name = 'indexed_seq'`);
      },
    ],
  ])('%s: finds and repairs them', async (_, bad, damage) => {
    const directory = filled();
    tamper(directory, damage);
    const sick = await doctor(directory);
    expect(sick.bad.filter((name) => name !== 'signatures')).toEqual(bad);
    expect(sick.bad.length + sick.warn.length).toBeGreaterThan(0);
    if (bad.length > 0) expect(sick.code).toBe(exitCodes.damaged);
    const healed = await doctor(directory, '--repair');
    expect(healed.repaired.length).toBeGreaterThan(0);
    expect([...healed.bad, ...healed.warn]).toEqual([]);
    expect(healed.code).toBe(exitCodes.ok);
    await expectWhole(directory, NOTES);
  });
});

describe('invalid events in wok doctor', () => {
  it('are removed if their text is wrong, and the text is kept in a file', async () => {
    const directory = filled();
    tamper(directory, (db) => {
      db.exec(`UPDATE event SET json = (
          SELECT replace(json, '"content":"', '"content":"altered ') FROM nostr_event WHERE seq = 5
        ) WHERE seq = 5;
        UPDATE event SET json = substr(json, 1, 100) WHERE seq = 6`);
    });
    const sick = await doctor(directory);
    expect(sick.bad).toContain('events');
    expect(sick.findings.find(({ name }) => name === 'events')!.text).toContain(
      '2 of 121 events are invalid; event 5: its id is not the SHA-256 of the event',
    );
    const healed = await doctor(directory, '--repair');
    expect(healed.bad).toEqual([]);
    const kept = readFileSync(join(directory, 'wok.db.unreadable.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(kept.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([5, 6]);
    await expectWhole(
      directory,
      NOTES.filter((_, n) => n !== 4 && n !== 5),
    );
  });

  it('are removed if only the signature is wrong', async () => {
    const directory = filled();
    tamper(directory, (db) => {
      // Signature of another event: well-formed and wrong.
      db.exec(`UPDATE event SET json = (
          SELECT replace(json, json ->> 'sig', (SELECT json ->> 'sig' FROM nostr_event WHERE seq = 9))
          FROM nostr_event AS own WHERE own.seq = event.seq
        ) WHERE seq IN (5, 6)`);
    });
    const sick = await doctor(directory);
    expect(sick.bad).toEqual(['signatures', 'events']);
    expect(sick.findings.find(({ name }) => name === 'events')!.text).toContain(
      '2 of 121 events are invalid; event 5: its signature is wrong',
    );
    const healed = await doctor(directory, '--repair');
    expect([healed.bad, healed.code]).toEqual([[], exitCodes.ok]);
    await expectWhole(
      directory,
      NOTES.filter((_, n) => n !== 4 && n !== 5),
    );
  });

  it('are removed if a tombstone or a newer version forbids them', async () => {
    const directory = filled();
    const [older] = PROFILES;
    tamper(directory, (db, hasher) => {
      const insert = db.prepare('INSERT INTO deleted_id (id, pubkey) VALUES (?, ?)');
      insert.run(Buffer.from(NOTES[7]!.id, 'hex'), Buffer.from(AUTHOR.pubkey, 'hex'));
      const { id, pubkey, created_at, kind, tags, content, sig } = older!;
      const json = JSON.stringify({ id, pubkey, created_at, kind, tags, content, sig });
      db.prepare('INSERT INTO event VALUES (500, ?, 0, NULL, ?, NULL)').run(created_at, json);
      const posting = db.prepare('INSERT INTO posting VALUES (?, ?, 500, 0)');
      for (const term of [0, ...hasher.ofEvent(older!)]) posting.run(term, created_at);
      db.exec("UPDATE meta SET value = 500 WHERE name = 'indexed_seq'");
    });
    const sick = await doctor(directory);
    expect(sick.bad).toEqual(['superseded', 'tombstones']);
    const healed = await doctor(directory, '--repair');
    expect([...healed.bad, ...healed.warn]).toEqual([]);
    await expectWhole(
      directory,
      NOTES.filter((_, n) => n !== 7),
    );
  });
});

describe('damaged pages in wok doctor', () => {
  it('are left out of a repaired database, and the rest is salvaged', async () => {
    const many = Array.from({ length: 600 }, (_, n) =>
      AUTHOR.event({ content: `${n} `.repeat(50) }),
    );
    const deletion = AUTHOR.deletion([['e', 'f'.repeat(64)]]);
    const directory = await imported([...many, deletion]);
    const path = join(directory, 'wok.db');
    const pages = statSync(path).size / 4096;
    const file = openSync(path, 'r+');
    for (const page of [0.35, 0.5, 0.65].map((share) => Math.floor(pages * share))) {
      writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, page * 4096);
    }
    closeSync(file);
    const sick = await doctor(directory);
    expect(sick.bad).toContain('pages');
    expect(sick.code).toBe(exitCodes.damaged);
    const healed = await doctor(directory, '--repair');
    expect(healed.bad).toEqual([]);
    expect(healed.code).toBe(exitCodes.ok);
    expect(readdirSync(directory).some((name) => name.startsWith('wok.db.damaged-'))).toBe(true);
    const { out } = await wokHere(['export', '--data', directory]);
    const saved = out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as NostrEvent).id);
    expect(saved.length).toBeGreaterThan(300);
    const known = new Set([...many, deletion].map(({ id }) => id));
    expect(saved.every((id) => known.has(id))).toBe(true);
    tamper(directory, (db) => {
      expect(db.prepare('SELECT count(*) FROM deleted_id').pluck().get()).toBe(1);
    });
  });
});

describe('the machine', () => {
  const files: Record<string, string> = {
    '/proc/self/limits':
      'Limit  Soft  Hard  Units\nMax open files            1024     4096    files\n',
    '/proc/sys/net/core/somaxconn': '128\n',
    '/proc/sys/vm/swappiness': '100\n',
    '/proc/sys/vm/overcommit_memory': '2\n',
    '/proc/sys/net/ipv4/tcp_max_syn_backlog': '4096\n',
    '/run/systemd/timesync/synchronized': '',
  };
  const machine = (nowSeconds = now()): Machine => ({
    read: (file) => files[file] ?? null,
    nowSeconds,
  });
  const found = (directory: string, on: Machine) =>
    examineMachine(testConfig(directory), on, null)
      .filter(({ severity }) => severity === 'warn' || severity === 'bad')
      .map(({ area, name }) => `${area} ${name}`);

  it('is told what is too small', () => {
    const directory = freshDirectory();
    expect(found(directory, machine())).toEqual(
      expect.arrayContaining([
        'process descriptors',
        'kernel net.core.somaxconn',
        'kernel vm.swappiness',
        'kernel vm.overcommit_memory',
      ]),
    );
    expect(found(directory, machine())).not.toContain('kernel net.ipv4.tcp_max_syn_backlog');
  });

  it('has a clock that was set back, or never set', () => {
    const directory = filled();
    utimesSync(join(directory, 'wok.db'), now() + 500, now() + 500);
    expect(found(directory, machine())).toContain('clock backwards');
    expect(found(directory, machine(1000))).toContain('clock time');
  });

  it('is told of files that others may read and of what was left behind', () => {
    const directory = freshDirectory();
    mkdirSync(join(directory, 'open'), { mode: 0o755 });
    const open = join(directory, 'open');
    for (const name of ['wok.db', 'wok.db.part']) closeSync(openSync(join(open, name), 'w', 0o644));
    expect(found(open, machine())).toEqual(
      expect.arrayContaining(['files mode', 'files leftovers']),
    );
  });
});
