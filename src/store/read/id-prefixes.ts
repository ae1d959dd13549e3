// Cache of the first bits of event ids, one for each query worker.

/** Number of seqs whose prefixes lie in one array. */
const CHUNK_SEQS = 4096;
/** Number of arrays kept, 16 kB each; the oldest is dropped first. */
const CHUNKS_MAX = 64;

/**
 * First 32 bits of the ids of events in crowded seconds, by seq. Within a second events are sent in
 * the order of their ids, which the index does not know; of 30,000 events of one second only those
 * have to be read whose ids can be among the first. At most 1 MiB; the id of an event never
 * changes, and a seq is never given twice.
 */
export class IdPrefixes {
  readonly #chunks = new Map<number, Uint32Array>();

  /** Returns the prefix, or 0 if it is not known. */
  get(seq: number): number {
    return this.#chunks.get(Math.floor(seq / CHUNK_SEQS))?.[seq % CHUNK_SEQS] ?? 0;
  }

  /** @param prefix `prefixOf` its id. */
  set(seq: number, prefix: number): void {
    const number = Math.floor(seq / CHUNK_SEQS);
    let chunk = this.#chunks.get(number);
    if (chunk === undefined) {
      if (this.#chunks.size >= CHUNKS_MAX) {
        for (const first of this.#chunks.keys()) {
          this.#chunks.delete(first);
          break;
        }
      }
      chunk = new Uint32Array(CHUNK_SEQS);
      this.#chunks.set(number, chunk);
    }
    chunk[seq % CHUNK_SEQS] = prefix;
  }
}

/** Returns the first 32 bits of an id in hex; they order events as ids do, as far as they go. */
export function prefixOf(id: string): number {
  return Number.parseInt(id.slice(0, 8), 16);
}
