import { readFile, stat } from 'node:fs/promises';
import type { Log } from '../../lib/log.ts';
import { type KeyFile, readKeyFile } from '../../policy/doors/key-file.ts';
import { KeySet } from '../../policy/key-set.ts';

const FILE_BYTES_MAX = 512 * 1024 * 1024;
/** Wrong lines of one file that are told one by one. */
const PROBLEMS_TOLD = 5;

interface Known extends KeyFile {
  /** What tells one version of the file from another. */
  version: string;
}

/** The files of one list of keys; `look` tells what they say together when that has changed. */
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
   * The keys of all files if one has changed or a key has run out, else null. A file that cannot be read
   * counts as it was; until each was read once there is no list, and what needs it is refused.
   */
  async look(now: number): Promise<KeySet | null> {
    let changed = false;
    for (const path of this.paths) {
      try {
        changed = (await this.#read(path, now)) || changed;
        if (this.#missing.delete(path))
          this.#log.info('a list of keys can be read again', { path });
      } catch (error) {
        if (!this.#missing.has(path)) {
          this.#log.error('a list of keys cannot be read', { path, error: String(error) });
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
    for (const { line, text } of file.problems.slice(0, PROBLEMS_TOLD)) {
      this.#log.warn('a line of a list of keys is left out', { path, line, because: text });
    }
    this.#log.info('a list of keys was read', {
      path,
      keys: file.keys.length,
      wrongLines: file.problems.length,
    });
    return true;
  }
}
