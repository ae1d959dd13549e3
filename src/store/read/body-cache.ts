// Cache of event bodies, one for each query worker.

import { element } from '../../lib/assert.ts';
import { idOf, jsonBytesOf, pubkeyOf, type StoredBody } from '../body/body.ts';
import { UNPACK_SLACK, unpack, unpackedLength } from '../body/unpack.ts';

/** Bytes that a body takes at least, so that the number of bodies is bounded by their bytes. */
const BODY_BYTES_MIN = 256;

/** Canonical JSON of a stored event, and the fields that every check needs. */
export interface Body {
  readonly id: string;
  readonly pubkey: string;
  /** UTF-8, in memory of the cache: valid until the next body is read. */
  readonly bytes: Buffer;
}

/** Body that reads its author on demand: it is needed only where the index does not tell it. */
class JsonBody implements Body {
  readonly id: string;
  readonly bytes: Buffer;
  /** Offset in the slab. */
  readonly start: number;
  #pubkey = '';

  constructor(bytes: Buffer, start: number) {
    this.id = idOf(bytes);
    this.bytes = bytes;
    this.start = start;
  }

  get pubkey(): string {
    if (this.#pubkey === '') this.#pubkey = pubkeyOf(this.bytes);
    return this.#pubkey;
  }
}

/**
 * Cache of the bodies that a query worker has read lately, as the bytes that are sent to the
 * client. Measured: reading a row of 1 kB and encoding it anew costs 2.2 µs, copying it from here
 * 0.3 µs.
 *
 * The cache is one slab, written as a ring; overwritten bodies are evicted. The caller checks if a
 * body may still be served (`Snapshot.read`).
 */
export class BodyCache {
  #slab: Buffer;
  #view: DataView;
  readonly #kept = new Map<number, JsonBody>();
  /** Seqs of the cached bodies in the order of the slab, as a ring, too. */
  readonly #order: Float64Array;
  #first = 0;
  #count = 0;
  #at = 0;

  /** Allocates a slab of `bytesMax` bytes; with 0 it caches nothing. */
  constructor(bytesMax: number) {
    this.#slab = Buffer.allocUnsafeSlow(bytesMax);
    this.#view = new DataView(this.#slab.buffer);
    this.#order = new Float64Array(Math.ceil(bytesMax / BODY_BYTES_MIN));
  }

  /**
   * Evicts all bodies and releases their memory, which a collection frees; a new slab takes none
   * until it is written to. Returns false if there was none.
   */
  release(): boolean {
    if (this.#count === 0) return false;
    this.#slab = Buffer.allocUnsafeSlow(this.#slab.length);
    this.#view = new DataView(this.#slab.buffer);
    this.#kept.clear();
    this.#first = this.#count = this.#at = 0;
    return true;
  }

  get size(): number {
    return this.#kept.size;
  }

  get(seq: number): Body | undefined {
    return this.#kept.get(seq);
  }

  /** Returns the body of a row, and caches it if it needs at most a quarter of the slab. */
  put(seq: number, stored: StoredBody): Body {
    const bytes = this.#bytesFor(stored);
    if (bytes > this.#slab.length >> 2) return bodyOf(jsonBytesOf(stored));
    this.#makeRoom(Math.max(bytes, BODY_BYTES_MIN));
    const start = this.#at;
    const length =
      typeof stored === 'string'
        ? this.#slab.write(stored, start, 'utf8')
        : unpack(stored, this.#slab, this.#view, start);
    const body = new JsonBody(this.#slab.subarray(start, start + length), start);
    this.#at += Math.max(length, BODY_BYTES_MIN);
    this.#kept.set(seq, body);
    this.#order[(this.#first + this.#count++) % this.#order.length] = seq;
    return body;
  }

  /** Evicts an event that was removed from the log. */
  delete(seq: number): void {
    this.#kept.delete(seq);
  }

  /** Returns a bound of a body's bytes; text is measured only if its bound exceeds the slab. */
  #bytesFor(stored: StoredBody): number {
    if (typeof stored !== 'string') return unpackedLength(stored) + UNPACK_SLACK;
    const most = stored.length * 3;
    return most > this.#slab.length ? Buffer.byteLength(stored) : most;
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes > this.#slab.length) {
      this.#forgetUpTo(this.#slab.length);
      this.#at = 0;
    }
    this.#forgetUpTo(this.#at + bytes);
  }

  /** Evicts the bodies between the write position and `end`. */
  #forgetUpTo(end: number): void {
    while (this.#count > 0) {
      const seq = element(this.#order[this.#first]);
      const kept = this.#kept.get(seq);
      if (kept !== undefined) {
        if (kept.start < this.#at || kept.start >= end) return;
        this.#kept.delete(seq);
      }
      this.#first = (this.#first + 1) % this.#order.length;
      this.#count--;
    }
  }
}

/** Returns a body that is not cached. */
export function bodyOf(bytes: Buffer): Body {
  return new JsonBody(bytes, 0);
}
