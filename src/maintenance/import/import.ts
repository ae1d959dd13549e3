// Import of events from a file (`wok import`): this thread reads and commits, the threads of a
// piscina pool check.

import { availableParallelism } from 'node:os';
import { addAbortSignal, type Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Piscina } from 'piscina';
import { RecordReader } from '../../channel/records.ts';
import type { Config } from '../../config/options.ts';
import { systemClock } from '../../lib/clock.ts';
import { THREAD_FLAGS } from '../../lib/thread-flags.ts';
import { CheckedEvent } from '../../messages/ingester-writer.ts';
import { taskUrl } from '../../paths.ts';
import { syncFile } from '../../store/database/fsync.ts';
import { databaseFile } from '../../store/database/open.ts';
import { OfflineWriter } from '../offline-writer.ts';
import type { CheckedChunk, CheckSetup, RefusedLine } from './chunk.ts';
import { wholeLines } from './lines.ts';
import { BEGINNING, type Place, type ProgressFile } from './progress-file.ts';
import { Tally } from './tally.ts';
import { CompressionError } from './text.ts';

/** Upper bound of a line, in bytes. No event is longer; a longer line is not text of events. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;
/**
 * Number of chunks queued for each checking thread, so that it stays busy while this thread
 * commits.
 */
const CHUNKS_AHEAD = 48;
/**
 * Assumed bytes of an event, a low guess because the filter of stored ids had better be too large.
 */
const EVENT_BYTES = 500;
/** Number of events expected if the size of the source is unknown. */
const EVENTS_UNKNOWN = 2_000_000;

/** Input of an import. */
export interface ImportInput {
  /** Name in a progress file. */
  readonly key: string;
  /** Name for people, '' if there is only one. */
  readonly name: string;
  /** Its text, from `begin` on. */
  readonly text: Readable;
  /** Place from which on it is imported; undefined: its beginning. */
  readonly begin?: Place;
}

/** Rejected line of an input. */
export interface RefusedInputLine extends RefusedLine {
  /** Name of the input, '' if there is only one. */
  readonly input: string;
}

/** Options of an import. */
export interface ImportOptions {
  /** True to check signatures. */
  verify: boolean;
  /** True to apply the configured limits for the size of events. */
  limits: boolean;
  /** Number of events in one commit. */
  commitEvents: number;
  /** Size of all inputs in bytes, if known. */
  totalBytes: number | undefined;
  signal: AbortSignal;
  /** Called now and then with the number of events read so far. */
  progress: (events: number) => void;
  /** Called for every rejected line. */
  onRefused: (line: RefusedInputLine) => void;
  /** File in which the import notes how far it is. */
  progressFile?: ProgressFile;
}

/**
 * Imports the events of the inputs, one JSON object a line: piscina tasks on all processors check
 * the lines, and this thread stores the events in order, one input after the other.
 *
 * An import may be repeated at any time: stored events count as duplicates. Commits survive
 * whatever ends the import, and the index catches up with the log as after any crash.
 *
 * @throws StorageError when the database cannot be used, or another process writes to it.
 */
export async function importEvents(
  config: Config,
  inputs: readonly ImportInput[],
  options: ImportOptions,
): Promise<Tally> {
  const { totalBytes } = options;
  const expected = totalBytes === undefined ? EVENTS_UNKNOWN : Math.ceil(totalBytes / EVENT_BYTES);
  let onCommit = () => {};
  const writer = new OfflineWriter(config.storage, systemClock, {
    commitEvents: options.commitEvents,
    idsExpected: expected,
    onCommit: () => onCommit(),
  });
  const setup: CheckSetup = {
    config,
    idFilter: writer.log.idFilterMemory,
    verify: options.verify,
    limits: options.limits,
  };
  const threads = availableParallelism();
  const pool = new Piscina({
    execArgv: [...THREAD_FLAGS],
    filename: taskUrl('check').href,
    name: 'run',
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: CHUNKS_AHEAD,
    workerData: setup,
    recordTiming: false,
  });
  try {
    const running = new Import(writer, pool, options);
    onCommit = () => running.committed(config.storage.directory);
    for (const input of inputs) {
      if (!options.signal.aborted) await running.run(input, threads * CHUNKS_AHEAD);
    }
    // The readers of the pool close first, so that the writer is the last to close and deletes the
    // write-ahead log.
    await pool.destroy();
    writer.close();
    options.progressFile?.update();
    return running.tally;
  } catch (error) {
    await pool.destroy();
    writer.abandon();
    throw error;
  }
}

/** State of one import, owned by the reading thread. */
class Import {
  readonly #writer: OfflineWriter;
  readonly #pool: Piscina;
  readonly #options: ImportOptions;
  readonly tally = new Tally();
  #input: ImportInput | null = null;
  /** Place in the input before the chunk that is stored next. */
  #place = BEGINNING;
  /** Number of chunks that are being checked or wait to be stored. */
  #ahead = 0;
  #failure: unknown = null;
  /** Resumes reading when a chunk has been stored. */
  #onReady = () => {};

  constructor(writer: OfflineWriter, pool: Piscina, options: ImportOptions) {
    this.#writer = writer;
    this.#pool = pool;
    this.#options = options;
  }

  /** Reads an input, while earlier chunks are checked and stored in order. */
  async run(input: ImportInput, aheadMax: number): Promise<void> {
    const { signal } = this.#options;
    const { text, begin = BEGINNING } = input;
    this.#input = input;
    this.#place = begin;
    let isWhole = false;
    let stored = Promise.resolve();
    addAbortSignal(signal, text);
    try {
      for await (const { bytes, end, tooLong } of wholeLines(text, LINE_BYTES_MAX)) {
        this.#ahead++;
        const checked = tooLong ? Promise.resolve(tooLongLine()) : this.#check(bytes);
        stored = stored.then(() => this.#take(checked, begin.bytes + end));
        if (this.#ahead >= aheadMax) await this.#ready();
        if (this.#failure !== null) break;
      }
      isWhole = !signal.aborted;
    } catch (error) {
      if (error instanceof CompressionError) this.tally.damage(input.name, error.message);
      else if (!signal.aborted) this.#failure ??= error;
    }
    await stored;
    if (isWhole && this.#failure === null) this.#place = { ...this.#place, done: true };
    this.#note();
    if (this.#failure !== null) throw this.#failure;
  }

  /** Updates the progress file now and then, after the events it counts are on the disk. */
  committed(directory: string): void {
    const { progressFile } = this.#options;
    this.#note();
    if (progressFile?.isDue !== true) return;
    syncFile(`${databaseFile(directory)}-wal`);
    progressFile.update();
  }

  #note(): void {
    if (this.#input !== null) this.#options.progressFile?.note(this.#input.key, this.#place);
  }

  #ready(): Promise<void> {
    return new Promise((resolve) => {
      this.#onReady = resolve;
    });
  }

  async #take(checked: Promise<CheckedChunk>, end: number): Promise<void> {
    try {
      const chunk = await checked;
      // A turn of the event loop lets the file be read between chunks, or the threads would run out
      // of work.
      await setImmediate();
      if (this.#failure === null && !this.#options.signal.aborted) this.#store(chunk, end);
    } catch (error) {
      this.#failure ??= error;
    }
    this.#ahead--;
    this.#onReady();
  }

  #check(bytes: ArrayBuffer): Promise<CheckedChunk> {
    return this.#pool.run(bytes, { transferList: [bytes] }) as Promise<CheckedChunk>;
  }

  #store(chunk: CheckedChunk, end: number): void {
    const { records, lines, newlines, duplicates, refused } = chunk;
    const { tally } = this;
    tally.lines += lines;
    tally.duplicates += duplicates;
    for (const one of refused) this.#refuse(one);
    const reader = new RecordReader(new Uint8Array(records));
    while (reader.more) {
      const event = new CheckedEvent(reader);
      const outcome = this.#writer.store(event);
      if (outcome.t === 'stored') tally.added++;
      else if (outcome.t === 'duplicate') tally.duplicates++;
      else this.#refuse({ line: event.connId, id: event.id, why: outcome.message });
    }
    this.#place = { bytes: end, lines: this.#place.lines + newlines, done: false };
    this.#options.progress(tally.lines);
  }

  #refuse(refused: RefusedLine): void {
    const line = this.#place.lines + refused.line;
    const input = this.#input?.name ?? '';
    this.tally.refuse(input, line, refused.why);
    this.#options.onRefused({ ...refused, line, input });
  }
}

function tooLongLine(): CheckedChunk {
  const why = `invalid: the line has more than ${LINE_BYTES_MAX} bytes`;
  return {
    records: new ArrayBuffer(0),
    lines: 1,
    newlines: 1,
    duplicates: 0,
    refused: [{ line: 1, id: '', why: why as RefusedLine['why'] }],
  };
}
