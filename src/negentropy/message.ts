// Binary messages of the negentropy protocol, version 1 (NIP-77, appendix): a version byte, then
// ranges in order.

import { type Bound, boundAt, compareToBound, END, ID_BYTES } from './bound.ts';
import { FINGERPRINT_BYTES } from './sums.ts';
import { varintBytes } from './varint.ts';

/** Version byte of protocol version 1. */
export const VERSION = 0x61;

export const SKIP = 0;
export const FINGERPRINT = 1;
export const ID_LIST = 2;

const TOO_LARGE = 'a number is larger than 2^53';
const SMALLEST_BYTES = 1024;

/** Error in a message of the other side; the text says what is wrong with it. */
export class MessageError extends Error {
  override name = 'MessageError';
}

/** Range of a message: what the other side says of the events between two bounds. */
export type Range =
  | { readonly mode: typeof SKIP; readonly end: Bound }
  | { readonly mode: typeof FINGERPRINT; readonly end: Bound; readonly fingerprint: Uint8Array }
  | {
      readonly mode: typeof ID_LIST;
      readonly end: Bound;
      /** 32 bytes each, views into the message. */
      readonly ids: readonly Uint8Array[];
    };

/** Reader of the ranges of a message. Bounds must not fall, and nothing may follow the last one. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #time = 0;
  #last = boundAt(0);

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** True if another range follows. */
  get more(): boolean {
    return this.#at < this.#bytes.length;
  }

  /** Reads the version byte. @throws MessageError if there is none. */
  version(): number {
    const version = this.#byte();
    if (version < 0x60 || version > 0x6f) throw new MessageError('the version byte is not 0x61');
    return version;
  }

  /** Reads the next range. @throws MessageError */
  range(): Range {
    const end = this.#bound();
    const mode = this.#varint();
    if (mode === SKIP) return { mode, end };
    if (mode === FINGERPRINT) return { mode, end, fingerprint: this.#take(FINGERPRINT_BYTES) };
    if (mode !== ID_LIST) throw new MessageError(`a range has mode ${mode}; there are 0, 1 and 2`);
    const count = this.#varint();
    if (count * ID_BYTES > this.#bytes.length - this.#at)
      throw new MessageError('the message ends within an id list');
    const ids = Array.from({ length: count }, () => this.#take(ID_BYTES));
    return { mode, end, ids };
  }

  #bound(): Bound {
    const encoded = this.#varint();
    if (encoded > 0) this.#time += encoded - 1;
    if (this.#time > Number.MAX_SAFE_INTEGER) throw new MessageError(TOO_LARGE);
    const time = encoded === 0 ? Number.POSITIVE_INFINITY : this.#time;
    const length = this.#varint();
    if (length > ID_BYTES) throw new MessageError('a bound has more than 32 bytes of an id');
    const bound = { time, prefix: this.#take(length) };
    const { time: lastTime, prefix: lastPrefix } = this.#last;
    if (compareToBound(lastTime, lastPrefix, 0, bound) > 0)
      throw new MessageError('the bounds of the ranges are not in order');
    this.#last = bound;
    return bound;
  }

  #varint(): number {
    let value = 0;
    for (;;) {
      const byte = this.#byte();
      value = value * 128 + (byte & 0x7f);
      if (value > Number.MAX_SAFE_INTEGER) throw new MessageError(TOO_LARGE);
      if (byte < 0x80) return value;
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new MessageError('the message ends within a range');
    return byte;
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at)
      throw new MessageError('the message ends within a range');
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }
}

/**
 * Writer of the ranges of a message. A skip is written with the range after it, so that the last
 * ones are left out, and several in a row become one.
 */
export class MessageWriter {
  #bytes = Buffer.allocUnsafe(SMALLEST_BYTES);
  #length = 0;
  #time = 0;
  #skipped: Bound | undefined;

  constructor() {
    this.#byte(VERSION);
  }

  get length(): number {
    return this.#length;
  }

  /** True if nothing but skips was written. */
  get isEmpty(): boolean {
    return this.#length === 1;
  }

  skip(end: Bound): void {
    this.#skipped = end;
  }

  fingerprint(end: Bound, fingerprint: Uint8Array): void {
    this.#begin(end, FINGERPRINT);
    this.#put(fingerprint);
  }

  /** Writes an id list; `copy` fills in the ids, 32 bytes each. */
  idList(end: Bound, count: number, copy: (target: Uint8Array, at: number) => void): void {
    this.#begin(end, ID_LIST);
    this.#put(varintBytes(count));
    this.#reserve(count * ID_BYTES);
    copy(this.#bytes, this.#length);
    this.#length += count * ID_BYTES;
  }

  /** Returns the message. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #begin(end: Bound, mode: number): void {
    const skipped = this.#skipped;
    this.#skipped = undefined;
    if (skipped !== undefined) {
      this.#bound(skipped);
      this.#byte(SKIP);
    }
    this.#bound(end);
    this.#byte(mode);
  }

  #bound({ time, prefix }: Bound): void {
    if (time === END.time) this.#byte(0);
    else {
      this.#put(varintBytes(1 + time - this.#time));
      this.#time = time;
    }
    this.#put(varintBytes(prefix.length));
    this.#put(prefix);
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  #put(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + bytes));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
