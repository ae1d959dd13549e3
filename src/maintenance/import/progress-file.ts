// Progress file of an import: how far each input is stored, so that the import can be continued.

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { syncFile } from '../../store/database/fsync.ts';

const VERSION = 1;
/** Time between two updates: each waits for the disk. */
const UPDATE_MILLISECONDS = 5_000;

/** Place in an input up to which all its lines are stored or rejected. */
export interface Place {
  /** Bytes of its text, decompressed. */
  readonly bytes: number;
  readonly lines: number;
  /** True if nothing is left. */
  readonly done: boolean;
}

/** Beginning of an input. */
export const BEGINNING: Place = { bytes: 0, lines: 0, done: false };

/** Error of a progress file that cannot be used; the text says why, and what to do. */
export class ProgressFileError extends Error {
  override name = 'ProgressFileError';
}

/**
 * Progress file: places by input, by its absolute path or `-` for standard input. It is replaced as
 * a whole, and never says more than what is on the disk: the caller syncs the events before.
 */
export class ProgressFile {
  readonly #file: string;
  readonly #places: Map<string, Place>;
  #updatedAt = performance.now();

  /** @throws ProgressFileError if the file is there and is none. */
  constructor(file: string) {
    this.#file = file;
    this.#places = read(file);
  }

  placeOf(input: string): Place {
    return this.#places.get(input) ?? BEGINNING;
  }

  note(input: string, place: Place): void {
    this.#places.set(input, place);
  }

  /** True if the last update was some seconds ago. */
  get isDue(): boolean {
    return performance.now() >= this.#updatedAt + UPDATE_MILLISECONDS;
  }

  /** Writes the places that were noted. */
  update(): void {
    const made = `${this.#file}.new`;
    const text = JSON.stringify({ version: VERSION, inputs: Object.fromEntries(this.#places) });
    writeFileSync(made, `${text}\n`);
    syncFile(made);
    renameSync(made, this.#file);
    syncFile(this.#file);
    this.#updatedAt = performance.now();
  }

  /** Removes the file, after the last line. */
  remove(): void {
    rmSync(this.#file, { force: true });
  }
}

function read(file: string): Map<string, Place> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return new Map();
    throw new ProgressFileError(`the progress file cannot be read: ${message}`);
  }
  const { version, inputs } = parsed(text);
  const isObject = typeof inputs === 'object' && inputs !== null;
  if (version !== VERSION || !isObject || !Object.values(inputs).every(isPlace))
    throw new ProgressFileError(`${file} is no progress file of wok import; name another file`);
  return new Map(Object.entries(inputs as Record<string, Place>));
}

function parsed(text: string): { version?: unknown; inputs?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function isPlace(value: unknown): value is Place {
  const { bytes, lines, done } = (value ?? {}) as Partial<Record<keyof Place, unknown>>;
  return Number.isSafeInteger(bytes) && Number.isSafeInteger(lines) && typeof done === 'boolean';
}
