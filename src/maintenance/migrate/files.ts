// Files of another relay: where its configuration is, and events in files of JSON lines.

import { createReadStream, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { exitCodes } from '../../lib/exit-codes.ts';
import { CompressionError, textOf } from '../import/text.ts';
import { type EventSource, SourceError } from './source.ts';

const READ_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const LINES_FILE = /\.(jsonl|ndjson)(\.gz|\.zst)?$/;

/** Returns the status of a file or directory; undefined if there is none. @throws SourceError */
export function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw readFailure(path, error as NodeJS.ErrnoException);
  }
}

/**
 * Returns the path of a configuration file: `path` itself if it is a file, else the first of
 * `names` that is in the directory `path`; undefined if none of them is there.
 *
 * @throws SourceError if there is nothing at `path`.
 */
export function configFileAt(path: string, names: readonly string[]): string | undefined {
  const status = statusOf(path);
  if (status === undefined) {
    throw new SourceError(`there is no file or directory ${path}.`, exitCodes.refused);
  }
  if (!status.isDirectory()) return path;
  return names.map((name) => join(path, name)).find((file) => statusOf(file)?.isFile());
}

/** Reads a text file. @throws SourceError */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw readFailure(file, error as NodeJS.ErrnoException);
  }
}

function readFailure(path: string, { code, message }: NodeJS.ErrnoException): SourceError {
  if (code === 'EACCES') {
    return new SourceError(
      `this user may not read ${path}; run the command as a user who may.`,
      exitCodes.noPermission,
    );
  }
  return new SourceError(`${path} cannot be read: ${message}`, exitCodes.refused);
}

/**
 * Returns the files of a path: itself, or the files of JSON lines in a directory by name.
 *
 * @throws SourceError if there are none.
 */
export function lineFilesAt(path: string): string[] {
  const status = statusOf(path);
  if (status === undefined) throw new SourceError(`there is no file ${path}.`, exitCodes.refused);
  if (!status.isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => LINES_FILE.test(name));
  if (names.length > 0) return names.sort().map((name) => join(path, name));
  throw new SourceError(
    `there are no files of events in ${path}; name a file, or give the files names that end in .jsonl, .jsonl.gz or .jsonl.zst.`,
    exitCodes.refused,
  );
}

/**
 * Returns the events of files of JSON lines, which may be compressed. A damaged file is counted and
 * read as far as it goes.
 */
export function lineFiles(files: readonly string[]): EventSource {
  return {
    name: files.length === 1 ? files[0]! : `${files.length} files`,
    async count(signal, onCount) {
      let events = 0;
      for (const file of files) {
        const before = events;
        events += await linesIn(file, signal, (lines) => onCount(before + lines));
      }
      return { events, hidden: 0 };
    },
    all: () =>
      files.map((file) => ({
        name: files.length === 1 ? '' : basename(file),
        bytes: textOfFile(file),
      })),
    later: null,
  };
}

/** Counts the lines of a file that are not blank, up to its end or its first damage. */
async function linesIn(
  file: string,
  signal: AbortSignal,
  onCount: (lines: number) => void,
): Promise<number> {
  const counter = new LineCounter();
  try {
    for await (const part of textOfFile(file)) {
      counter.add(part);
      onCount(counter.lines);
      if (signal.aborted) break;
    }
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error;
  }
  return counter.end();
}

/** Counter of lines that are not blank, as an import counts them. */
export class LineCounter {
  lines = 0;
  #isBlank = true;

  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline < 0 ? bytes.length : newline;
      for (let i = at; this.#isBlank && i < end; i++) this.#isBlank = bytes[i]! <= SPACE;
      if (newline >= 0) this.end();
      at = end + 1;
    }
  }

  /** Counts the last line, which may have no line end; returns the number of lines. */
  end(): number {
    if (!this.#isBlank) this.lines++;
    this.#isBlank = true;
    return this.lines;
  }
}

async function* textOfFile(file: string): AsyncGenerator<Buffer> {
  try {
    yield* textOf(createReadStream(file, { highWaterMark: READ_BYTES }));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EISDIR') throw readFailure(file, error as Error);
    throw error;
  }
}
