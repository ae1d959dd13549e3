// Times up to which peers are known to have been mirrored, kept in a file beside the database.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'wok-peers.json';
const OWNER_ONLY = 0o600;
/** Number of peers whose times are kept: those of the relay and of commands, former ones too. */
const PEERS_MAX = 1_000;

/**
 * Times of peers, in seconds since 1970: whatever was stored before, on either side, is on both
 * sides. A repair after an interruption begins there. A file that is lost or damaged costs a
 * comparison of all events.
 */
export class PeerCursors {
  readonly #file: string;
  readonly #times: Map<string, number>;

  constructor(directory: string) {
    this.#file = join(directory, FILE);
    this.#times = new Map(Object.entries(readTimes(this.#file)));
  }

  /** Returns the time of a peer; undefined: it was never compared. */
  of(key: string): number | undefined {
    return this.#times.get(key);
  }

  /** Keeps a time; beyond `PEERS_MAX` the one that was set longest ago is forgotten. */
  set(key: string, seconds: number): void {
    this.#times.delete(key);
    this.#times.set(key, seconds);
    const [oldest] = this.#times.keys();
    if (this.#times.size > PEERS_MAX && oldest !== undefined) this.#times.delete(oldest);
    const made = `${this.#file}.new`;
    const text = JSON.stringify(Object.fromEntries(this.#times), null, 1);
    try {
      writeFileSync(made, `${text}\n`, { mode: OWNER_ONLY });
      renameSync(made, this.#file);
    } catch {
      // A full disk, for instance: the next start compares more.
    }
  }
}

function readTimes(file: string): Record<string, number> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value !== 'object' || value === null) return {};
    const times = Object.entries(value).filter(([, time]) => Number.isSafeInteger(time));
    return Object.fromEntries(times) as Record<string, number>;
  } catch {
    return {};
  }
}
