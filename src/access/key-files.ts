// Files with lists of public keys, watched by the admin worker.

import { readFile, stat } from 'node:fs/promises';
import type { Log } from '../log/log.ts';
import { type KeyFile, readKeyFile } from './key-file.ts';
import { KeySet } from './key-set.ts';

const FILE_BYTES_MAX = 512 * 1024 * 1024;
/** Maximum number of wrong lines of one file that are logged one by one. */
const PROBLEMS_REPORTED = 5;

interface Known extends KeyFile {
  /** Version of the file, from its time, size and inode. */
  version: string;
}

/** Files of one list of keys; `look` returns their union when it has changed. */
export class KeyFiles {
  readonly paths: readonly string[];
  readonly #log: Log;
  readonly #known = new Map<string, Known>();
  readonly #missing = new Set<string>();

  constructor(paths: readonly string[], log: Log) {
    this.paths = paths;
    this.#log = log;
  }

  /**
   * Returns the keys of all files if one has changed or a key has expired, else null. An unreadable
   * file keeps its last content; until each file was read once there is no list, and access that
   * depends on it is refused.
   */
  async look(now: number): Promise<KeySet | null> {
    let changed = false;
    for (const path of this.paths) {
      try {
        changed = (await this.#read(path, now)) || changed;
        if (this.#missing.delete(path))
          this.#log.info('a key list file can be read again', { path });
      } catch (error) {
        if (!this.#missing.has(path)) {
          this.#log.error('a key list file cannot be read', { path, error: String(error) });
        }
        this.#missing.add(path);
      }
    }
    if (!changed || this.#known.size < this.paths.length) return null;
    return KeySet.of([...this.#known.values()].flatMap(({ keys }) => keys));
  }

  async #read(path: string, now: number): Promise<boolean> {
    const { mtimeMs, size, ino } = await stat(path);
    if (size > FILE_BYTES_MAX) throw new Error(`it has more than ${FILE_BYTES_MAX} bytes`);
    const version = `${mtimeMs} ${size} ${ino}`;
    const known = this.#known.get(path);
    if (known !== undefined && known.version === version && known.nextEnd > now) return false;
    const file = readKeyFile(await readFile(path, 'utf8'), now);
    this.#known.set(path, { ...file, version });
    for (const { line, text } of file.problems.slice(0, PROBLEMS_REPORTED)) {
      this.#log.warn('an invalid line of a key list file was skipped', {
        path,
        line,
        because: text,
      });
    }
    this.#log.info('a key list file was read', {
      path,
      keys: file.keys.length,
      wrongLines: file.problems.length,
    });
    return true;
  }
}
