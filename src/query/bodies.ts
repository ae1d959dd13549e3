import { idOf, jsonBytesOf, pubkeyOf, type StoredBody } from '../storage/body.ts';
import { UNPACK_SLACK, unpack, unpackedLength } from '../storage/packed/unpack.ts';

/** A body takes at least so much, so that the number of bodies is bounded by their bytes. */
const BODY_BYTES_MIN = 256;

/** The canonical JSON of a stored event, and the fields that every check asks for. */
export interface Body {
  readonly id: string;
  readonly pubkey: string;
  /** UTF-8. The memory is the cache's: it is good until the next body is read. */
  readonly bytes: Buffer;
}

/** The author is asked for only where the index does not tell. */
class JsonBody implements Body {
  readonly id: string;
  readonly bytes: Buffer;
  /** Where it is in the slab. */
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
 * The bodies that a lane has read lately, as the bytes that leave for the client. Measured: reading a
 * row of 1 kB and encoding it anew costs 2.2 µs, copying it from here 0.3 µs.
 *
 * One slab, written round and round; what is overwritten is forgotten. Whether a body may still be
 * served is the snapshot's business (`Snapshot.read`).
 */
export class Bodies {
  readonly #slab: Buffer;
  readonly #view: DataView;
  readonly #kept = new Map<number, JsonBody>();
  /** The kept seqs in the order in which they lie in the slab; a circle, too. */
  readonly #order: Float64Array;
  #first = 0;
  #count = 0;
  #at = 0;

  /** Keeps up to so many bytes of bodies; 0: none. */
  constructor(bytesMax: number) {
    this.#slab = Buffer.allocUnsafeSlow(bytesMax);
    this.#view = new DataView(this.#slab.buffer);
    this.#order = new Float64Array(Math.ceil(bytesMax / BODY_BYTES_MIN));
  }

  get size(): number {
    return this.#kept.size;
  }

  get(seq: number): Body | undefined {
    return this.#kept.get(seq);
  }

  /** The body that a row has; kept if there is room for it. */
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

  /** The event was removed from the log. */
  delete(seq: number): void {
    this.#kept.delete(seq);
  }

  /** Room for the most that it can take; text is measured only where that is more than all there is. */
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

  /** Forgets what lies between the place that is written next and `end`. */
  #forgetUpTo(end: number): void {
    while (this.#count > 0) {
      const seq = this.#order[this.#first]!;
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

/** A body that is not kept. */
export function bodyOf(bytes: Buffer): Body {
  return new JsonBody(bytes, 0);
}
