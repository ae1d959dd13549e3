import { idOfBytes, pubkeyOfBytes } from '../storage/body.ts';

/** A body takes at least so much, so that the number of bodies is bounded by their bytes. */
const BODY_BYTES_MIN = 256;

/** The canonical JSON of a stored event, and the fields that every check asks for. */
export interface Body {
  readonly id: string;
  readonly pubkey: string;
  /** UTF-8. The memory is the cache's: it is good until the next body is read. */
  readonly bytes: Buffer;
}

interface Kept extends Body {
  readonly start: number;
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
  readonly #kept = new Map<number, Kept>();
  /** The kept seqs in the order in which they lie in the slab; a circle, too. */
  readonly #order: Float64Array;
  #first = 0;
  #count = 0;
  #at = 0;

  /** Keeps up to so many bytes of bodies; 0: none. */
  constructor(bytesMax: number) {
    this.#slab = Buffer.allocUnsafeSlow(bytesMax);
    this.#order = new Float64Array(Math.ceil(bytesMax / BODY_BYTES_MIN));
  }

  get size(): number {
    return this.#kept.size;
  }

  get(seq: number): Body | undefined {
    return this.#kept.get(seq);
  }

  /** The body made of a row's text; kept if there is room for it. */
  put(seq: number, json: string): Body {
    // Room for the most that the text can take; it is measured only where that is more than all there is.
    const most = json.length * 3;
    const bytes = most > this.#slab.length ? Buffer.byteLength(json) : most;
    if (bytes > this.#slab.length >> 2) return bodyOf(Buffer.from(json));
    this.#makeRoom(Math.max(bytes, BODY_BYTES_MIN));
    const start = this.#at;
    const length = this.#slab.write(json, start, 'utf8');
    const body = { ...bodyOf(this.#slab.subarray(start, start + length)), start };
    this.#at += Math.max(length, BODY_BYTES_MIN);
    this.#kept.set(seq, body);
    this.#order[(this.#first + this.#count++) % this.#order.length] = seq;
    return body;
  }

  /** The event was removed from the log. */
  delete(seq: number): void {
    this.#kept.delete(seq);
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

/** The fields at the fixed places of canonical JSON. */
export function bodyOf(bytes: Buffer): Body {
  return { id: idOfBytes(bytes), pubkey: pubkeyOfBytes(bytes), bytes };
}
