// Reason why new events are not stored, shared between the writer thread, which sets it, and the
// threads that answer /health.

/** Reasons why new events are not stored, in the words of /health; shared by their index. */
const TROUBLES = [
  '',
  'the disk is full',
  'disk I/O error',
  'the database is read-only',
  'another process has locked the database',
  'the database is damaged',
] as const;

/** Reason why new events are not stored; '' while they are. */
export type WriteTrouble = (typeof TROUBLES)[number];

/** State of the writer in shared memory: written by the writer, read by /health. */
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
