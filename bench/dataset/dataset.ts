// Dataset file in shared memory, read line by line without parsing the JSON.

import { open } from 'node:fs/promises';
import {
  CANONICAL_ID_END,
  CANONICAL_ID_START,
  CANONICAL_PUBKEY_END,
  CANONICAL_PUBKEY_START,
} from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';

/** Kinds of direct messages (NIP-04) and gift wraps (NIP-59). */
const PRIVATE_KINDS: readonly number[] = [4, 1059];

const LINE_FEED = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
const CREATED_AT_START = CANONICAL_PUBKEY_END + '","created_at":'.length;
/** Most bytes of one array on every Node.js that wok supports. */
const FILE_BYTES_MAX = 2 ** 32 - 1;
const READ_BYTES = 16 * 2 ** 20;

/** Dataset in memory that all threads share: the bytes of the file and the offsets of its lines. */
export interface SharedDataset {
  readonly bytes: SharedArrayBuffer;
  /**
   * Uint32 for each line, and one more for the end; a line ends one byte (its line feed) earlier.
   */
  readonly starts: SharedArrayBuffer;
}

/** Reader of the lines of a dataset in shared memory. */
export class Dataset {
  readonly shared: SharedDataset;
  readonly count: number;
  readonly bytes: Buffer;
  readonly #starts: Uint32Array;

  constructor(shared: SharedDataset) {
    this.shared = shared;
    this.bytes = Buffer.from(shared.bytes);
    this.#starts = new Uint32Array(shared.starts);
    this.count = this.#starts.length - 1;
  }

  /**
   * Reads a dataset into shared memory.
   *
   * @param events most lines that are indexed.
   * @throws Error when the file is too long for one array.
   */
  static async load(file: string, events = Number.POSITIVE_INFINITY): Promise<Dataset> {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      if (size > FILE_BYTES_MAX) {
        throw new Error(`${file} has ${size} bytes; the bench can hold ${FILE_BYTES_MAX}`);
      }
      const bytes = new SharedArrayBuffer(size);
      const view = new Uint8Array(bytes);
      for (let at = 0; at < size; ) {
        const { bytesRead } = await handle.read(view, at, Math.min(READ_BYTES, size - at), at);
        if (bytesRead === 0) throw new Error(`${file} became shorter while it was read`);
        at += bytesRead;
      }
      return new Dataset({ bytes, starts: lineStarts(Buffer.from(bytes), events) });
    } finally {
      await handle.close();
    }
  }

  /** Returns the offset in `bytes` at which line `index` begins. */
  start(index: number): number {
    return this.#starts[index]!;
  }

  /** Returns the offset in `bytes` at which line `index` ends, its line feed left out. */
  end(index: number): number {
    return this.#starts[index + 1]! - 1;
  }

  /** Returns the id of the event on this line. */
  id(index: number): string {
    return this.#characters(index, CANONICAL_ID_START, CANONICAL_ID_END);
  }

  pubkey(index: number): string {
    return this.#characters(index, CANONICAL_PUBKEY_START, CANONICAL_PUBKEY_END);
  }

  createdAt(index: number): number {
    return this.#number(this.start(index) + CREATED_AT_START);
  }

  /** Returns true unless relays send the event only to clients that have authenticated. */
  isPublic(index: number): boolean {
    return !PRIVATE_KINDS.includes(this.kind(index));
  }

  kind(index: number): number {
    return this.#number(this.kindStart(index));
  }

  /** Returns the offset in `bytes` of the digits of the kind. */
  kindStart(index: number): number {
    // created_at has ten digits from 2001 to 2286, and the generator writes no other times.
    return this.start(index) + CREATED_AT_START + 10 + ',"kind":'.length;
  }

  /** Returns the JSON of the event on this line. */
  line(index: number): string {
    return this.bytes.toString('utf8', this.start(index), this.end(index));
  }

  event(index: number): NostrEvent {
    return JSON.parse(this.line(index)) as NostrEvent;
  }

  /** Average bytes of an event's JSON. */
  get averageBytes(): number {
    return this.count === 0 ? 0 : this.#starts[this.count]! / this.count - 1;
  }

  #number(start: number): number {
    let value = 0;
    for (let at = start; this.bytes[at]! >= ZERO && this.bytes[at]! <= NINE; at++) {
      value = value * 10 + this.bytes[at]! - ZERO;
    }
    return value;
  }

  #characters(index: number, from: number, to: number): string {
    const start = this.start(index);
    return this.bytes.toString('latin1', start + from, start + to);
  }
}

function lineStarts(bytes: Buffer, linesMax: number): SharedArrayBuffer {
  const starts = [0];
  for (let at = 0; at < bytes.length && starts.length <= linesMax; ) {
    const feed = bytes.indexOf(LINE_FEED, at);
    if (feed < 0) break;
    at = feed + 1;
    starts.push(at);
  }
  const shared = new SharedArrayBuffer(starts.length * 4);
  new Uint32Array(shared).set(starts);
  return shared;
}
