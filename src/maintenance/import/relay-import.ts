// Import through the running relay: the events of the inputs are published on its local socket, so
// that its subscribers see them.

import { addAbortSignal } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { DelayWindow } from '../../peers/delay-window.ts';
import type { LocalRelay } from '../../peers/local-relay.ts';
import { Publisher } from '../../peers/publisher.ts';
import type { PublishResult } from '../../peers/relay-connection.ts';
import { idOfLine } from '../../protocol/event-text.ts';
import type { Refusal } from '../../protocol/refusal.ts';
import type { ImportInput, ImportOptions } from './import.ts';
import { wholeLines } from './lines.ts';
import { BEGINNING, type Place } from './progress-file.ts';
import { Tally } from './tally.ts';
import { CompressionError } from './text.ts';

/** Bytes of a line at most, as for clients by default; the relay refuses longer messages. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes of the events that wait for their answer. */
const WAITING_BYTES_MAX = 512 * 1024;
/** Time over which the rate is kept. */
const RATE_MILLISECONDS = 100;

/** Options of an import through the relay. */
export interface RelayImportOptions
  extends Pick<ImportOptions, 'signal' | 'progress' | 'onRefused' | 'progressFile'> {
  /** Events a second at most; null: as fast as the relay takes them. */
  readonly rate: number | null;
  /** Largest message that the relay takes. */
  readonly messageBytesMax: number;
}

/** Chunk of lines whose events are not all answered yet. */
interface Chunk {
  readonly end: number;
  readonly newlines: number;
  open: number;
  isRead: boolean;
}

/** Line that waits for its answer. */
interface Line {
  readonly number: number;
  readonly chunk: Chunk;
}

/**
 * Publishes the events of the inputs to the running relay, one input after the other. The relay
 * checks them as `wok import` does: limits and signatures, but no age, rates, lists or plugins.
 *
 * @throws PeerError when the relay ends meanwhile.
 */
export async function importThroughRelay(
  relay: LocalRelay,
  inputs: readonly ImportInput[],
  options: RelayImportOptions,
): Promise<Tally> {
  const connection = await relay.connect('import', '');
  try {
    const running = new RelayImport(options);
    const publisher = new Publisher(connection, new DelayWindow(WAITING_BYTES_MAX), running);
    for (const input of inputs) {
      if (!options.signal.aborted) await running.run(input, publisher);
    }
    options.progressFile?.update();
    return running.tally;
  } finally {
    connection.close();
  }
}

class RelayImport {
  readonly tally = new Tally();
  readonly #options: RelayImportOptions;
  /** Lines by event id, in the order in which they were sent. */
  readonly #lines = new Map<string, Line[]>();
  #chunks: Chunk[] = [];
  #input: ImportInput | null = null;
  #place: Place = BEGINNING;
  #sent = 0;
  readonly #began = performance.now();

  constructor(options: RelayImportOptions) {
    this.#options = options;
  }

  async run(input: ImportInput, publisher: Publisher): Promise<void> {
    const { signal, progressFile } = this.#options;
    const { text, begin = BEGINNING } = input;
    this.#input = input;
    this.#place = begin;
    let line = begin.lines;
    let isWhole = false;
    addAbortSignal(signal, text);
    try {
      for await (const { bytes, end, tooLong } of wholeLines(text, LINE_BYTES_MAX)) {
        const lines = Buffer.from(bytes).toString().split('\n');
        if (lines.at(-1) === '') lines.pop();
        const newlines = tooLong ? 1 : lines.length;
        const chunk = { end: begin.bytes + end, newlines, open: 0, isRead: false };
        this.#chunks.push(chunk);
        if (tooLong) this.#refuse(line + 1, '', tooLongLine(LINE_BYTES_MAX));
        for (const json of tooLong ? [] : lines) {
          line++;
          await this.#line({ number: line, chunk }, json, publisher);
          if (signal.aborted) break;
        }
        if (tooLong) line++;
        chunk.isRead = !signal.aborted;
        this.#settleChunks();
      }
      isWhole = !signal.aborted;
    } catch (error) {
      if (error instanceof CompressionError) this.tally.damage(input.name, error.message);
      else if (!signal.aborted) throw error;
    }
    await publisher.drained();
    if (isWhole) this.#place = { ...this.#place, done: true };
    this.#chunks = [];
    progressFile?.note(input.key, this.#place);
  }

  result(id: string, { ok, message }: PublishResult): void {
    const lines = this.#lines.get(id);
    const line = lines?.shift();
    if (lines?.length === 0) this.#lines.delete(id);
    if (line === undefined) return;
    if (ok && message.startsWith('duplicate:')) this.tally.duplicates++;
    else if (ok) this.tally.added++;
    else this.#refuse(line.number, id, message as Refusal);
    line.chunk.open--;
    this.#options.progress(this.tally.lines);
    if (line.chunk.open === 0) this.#settleChunks();
  }

  async #line(line: Line, json: string, publisher: Publisher): Promise<void> {
    if (json.trim() === '') return;
    this.tally.lines++;
    const id = idOfLine(json);
    if (id === null) {
      this.#refuse(line.number, '', 'invalid: the line holds no event with an id');
      return;
    }
    const most = this.#options.messageBytesMax;
    if (json.length + 10 > most) {
      this.#refuse(line.number, id, tooLongLine(most));
      return;
    }
    await this.#paced();
    await publisher.room();
    line.chunk.open++;
    const others = this.#lines.get(id);
    if (others === undefined) this.#lines.set(id, [line]);
    else others.push(line);
    publisher.add(id, json);
  }

  /** Waits until the rate allows another event. */
  async #paced(): Promise<void> {
    const { rate, signal } = this.#options;
    if (rate === null) return;
    const due = (this.#sent++ / rate) * 1000;
    const early = due - (performance.now() - this.#began);
    if (early > RATE_MILLISECONDS) {
      await delay(early, undefined, { signal }).catch(() => {});
    }
  }

  /** Moves the place over the chunks whose lines are all answered. */
  #settleChunks(): void {
    let moved = false;
    for (let first = this.#chunks[0]; first?.isRead && first.open === 0; first = this.#chunks[0]) {
      this.#chunks.shift();
      const lines = this.#place.lines + first.newlines;
      this.#place = { bytes: first.end, lines, done: false };
      moved = true;
    }
    if (!moved) return;
    const { progressFile } = this.#options;
    if (this.#input !== null) progressFile?.note(this.#input.key, this.#place);
    if (progressFile?.isDue === true) progressFile.update();
  }

  #refuse(line: number, id: string, why: Refusal): void {
    const input = this.#input?.name ?? '';
    this.tally.refuse(input, line, why);
    this.#options.onRefused({ line, id, why, input });
  }
}

function tooLongLine(most: number): Refusal {
  return `invalid: the line has more than ${most} bytes, too many for a message to the running relay`;
}
