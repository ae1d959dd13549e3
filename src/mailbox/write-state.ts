/**
 * Why new events are not stored, in the words of /health; by their place they lie in shared memory.
 */
const TROUBLES = [
  '',
  'the disk is full',
  'the disk fails',
  'the database is read-only',
  'another process holds the database',
  'the database is damaged',
] as const;

/** Why new events are not stored; '' while they are. */
export type WriteTrouble = (typeof TROUBLES)[number];

/**
 * Whether the writer can store events, in shared memory: written by the writer, read by /health.
 */
export class WriteState {
  readonly #cells: Int32Array;
  readonly #cell: number;

  constructor(shared: SharedArrayBuffer, cell: number) {
    this.#cells = new Int32Array(shared);
    this.#cell = cell;
  }

  get trouble(): WriteTrouble {
    return TROUBLES[Atomics.load(this.#cells, this.#cell)] ?? '';
  }

  set trouble(trouble: WriteTrouble) {
    Atomics.store(this.#cells, this.#cell, TROUBLES.indexOf(trouble));
  }
}
