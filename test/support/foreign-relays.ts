// Stand-ins for other relays: a program that answers like `strfry`, one that answers like `psql`,
// an SQLite database in the form of nostr-rs-relay, and a PostgreSQL server with the tables of
// nostream where PostgreSQL is installed.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { until } from './process.ts';

/** Returns events as lines of JSON. */
export function linesOf(events: readonly NostrEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

/** Writes an executable shell script; returns its path. */
export function shellScript(file: string, lines: string): string {
  writeFileSync(file, `#!/bin/sh\n${lines}`);
  chmodSync(file, 0o755);
  return file;
}

/** Events of a stand-in: those that are there, and those that come between the passes. */
export interface StandInEvents {
  readonly events: readonly NostrEvent[];
  readonly late: readonly NostrEvent[];
}

/**
 * Writes a program that answers `scan --count` and `export` like strfry, and `strfry.conf` with its
 * database beside it; returns the path of the program. It notes its calls in the file `calls`.
 *
 * @param canCount false for a strfry that does not know `scan --count`.
 */
export function strfryStandIn(
  directory: string,
  { events, late }: StandInEvents,
  canCount = true,
): string {
  mkdirSync(join(directory, 'lmdb'));
  writeFileSync(join(directory, 'strfry.conf'), 'db = "./lmdb/"\nrelay { port = 7790 }\n');
  writeFileSync(join(directory, 'events'), linesOf(events));
  writeFileSync(join(directory, 'late'), linesOf(late));
  const count = canCount ? `wc -l < events` : 'echo "no such flag" >&2; exit 1';
  return shellScript(
    join(directory, 'strfry'),
    `cd "${directory}"
echo "$*" >> calls
case "$*" in
  *"scan --count"*) ${count} ;;
  *--since=*) cat events late ;;
  *export*) cat events ;;
  *) exit 2 ;;
esac
`,
  );
}

/**
 * Writes a program that answers the statements of `wok migrate nostream` like psql, and
 * `settings.yaml` beside it; returns the path of the program. It notes its calls and the password
 * it got in the file `calls`.
 */
export function psqlStandIn(directory: string, { events, late }: StandInEvents): string {
  writeFileSync(join(directory, 'settings.yaml'), 'info:\n  name: Pier\n');
  writeFileSync(join(directory, 'events'), linesOf(events));
  writeFileSync(join(directory, 'late'), linesOf(late));
  return shellScript(
    join(directory, 'psql'),
    `cd "${directory}"
echo "$PGPASSWORD $*" >> calls
case "$*" in
  *"count(*)"*) echo "$(wc -l < events)|3" ;;
  *"FROM now()"*) date +%s ;;
  *first_seen*) cat events late ;;
  *"FROM events"*) cat events ;;
  *) exit 2 ;;
esac
`,
  );
}

/** SQLite database in the form of nostr-rs-relay. */
export class NostrRsRelayDatabase {
  readonly file: string;
  readonly #db: Database.Database;

  constructor(directory: string) {
    this.file = join(directory, 'nostr.db');
    this.#db = new Database(this.file);
    this.#db.pragma('journal_mode = WAL');
    this.#db.exec(`
      CREATE TABLE event (
        id INTEGER PRIMARY KEY, event_hash BLOB NOT NULL, first_seen INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expires_at INTEGER, author BLOB NOT NULL, delegated_by BLOB,
        kind INTEGER NOT NULL, hidden INTEGER, content TEXT NOT NULL);
      CREATE TABLE account (
        pubkey TEXT PRIMARY KEY, is_admitted INTEGER NOT NULL DEFAULT 0,
        balance INTEGER NOT NULL DEFAULT 0, tos_accepted_at INTEGER);`);
  }

  /** Stores an event; a hidden one was deleted by its author. */
  store(event: NostrEvent, hidden: 0 | 1 | null = 0, firstSeen = event.created_at): void {
    this.#db
      .prepare(
        'INSERT INTO event (event_hash, first_seen, created_at, author, kind, hidden, content) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run(
        Buffer.from(event.id, 'hex'),
        firstSeen,
        event.created_at,
        Buffer.from(event.pubkey, 'hex'),
        event.kind,
        hidden,
        JSON.stringify(event),
      );
  }

  /** Removes a table, so that it is the database of another program. */
  drop(table: string): void {
    this.#db.exec(`DROP TABLE ${table}`);
  }

  account(pubkey: string, isAdmitted: 0 | 1): void {
    this.#db
      .prepare('INSERT INTO account (pubkey, is_admitted) VALUES (?, ?)')
      .run(pubkey, isAdmitted);
  }

  close(): void {
    this.#db.close();
  }
}

/** PostgreSQL server with the tables of nostream, reachable by a Unix socket only. */
export class NostreamServer {
  /** Address for psql and `--database`. */
  readonly url: string;
  readonly #server: ChildProcess;

  private constructor(server: ChildProcess, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** Returns the reason why no server can run here; undefined if one can. */
  static problem(): string | undefined {
    for (const program of ['initdb', 'postgres', 'psql']) {
      if (spawnSync(program, ['--version']).error !== undefined) return `there is no ${program}`;
    }
    return undefined;
  }

  /** Starts a server in an empty directory. */
  static async start(directory: string): Promise<NostreamServer> {
    const isRoot = process.getuid?.() === 0;
    // PostgreSQL refuses to run as root.
    const user = isRoot ? { uid: 65_534, gid: 65_534 } : {};
    if (isRoot) {
      chownSync(directory, 65_534, 65_534);
      chmodSync(dirname(directory), 0o711);
    }
    const data = join(directory, 'data');
    const flags = ['--auth=trust', '--username=relay', '--encoding=UTF8', '--no-sync'];
    execFileSync('initdb', [...flags, data], { ...user, cwd: directory, stdio: 'pipe' });
    const server = spawn(
      'postgres',
      ['-D', data, '-k', directory, '-c', 'listen_addresses=', '-c', 'fsync=off'],
      { ...user, cwd: directory, stdio: 'ignore' },
    );
    const url = `postgresql://relay:unused@/postgres?host=${directory}`;
    const started = new NostreamServer(server, url);
    await until(() => started.#psql('SELECT 1') === '1\n', 'PostgreSQL to start');
    started.#psql(`
      CREATE TABLE events (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(), event_id bytea UNIQUE NOT NULL,
        event_pubkey bytea NOT NULL, event_kind integer NOT NULL,
        event_created_at integer NOT NULL, event_content text NOT NULL, event_tags jsonb,
        event_signature bytea NOT NULL, first_seen timestamp DEFAULT now(),
        deleted_at timestamp);
      CREATE TABLE users (pubkey bytea PRIMARY KEY, is_admitted boolean DEFAULT false);`);
    return started;
  }

  /** Stores events as nostream does, `age` seconds ago. */
  store(events: readonly NostrEvent[], { isDeleted = false, age = 0 } = {}): void {
    const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
    const bytes = (hex: string) => `'\\x${hex}'`;
    const seen = `now() - interval '${age} seconds', ${isDeleted ? 'now()' : 'NULL'}`;
    const rows = events.map(
      ({ id, pubkey, kind, created_at: created, content, tags, sig }) =>
        `(${bytes(id)}, ${bytes(pubkey)}, ${kind}, ${created}, ${text(content)},
          ${text(JSON.stringify(tags))}, ${bytes(sig)}, ${seen})`,
    );
    this.#psql(`INSERT INTO events (event_id, event_pubkey, event_kind, event_created_at,
      event_content, event_tags, event_signature, first_seen, deleted_at) VALUES ${rows.join()}`);
  }

  admit(pubkey: string): void {
    this.#psql(`INSERT INTO users VALUES ('\\x${pubkey}', true)`);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.kill('SIGQUIT');
    await closed;
  }

  /** Runs a statement; returns its output, or '' if it fails. */
  #psql(statement: string): string {
    const flags = ['-qAtX', '-v', 'ON_ERROR_STOP=1', '-d', this.url, '-f', '-'];
    const { stdout } = spawnSync('psql', flags, { input: statement, encoding: 'utf8' });
    return stdout;
  }
}
