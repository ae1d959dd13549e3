/** How a channel gets memory for a batch of so many bytes. */
export type Memory = (length: number) => Buffer;

/** Memory of its own for every batch: it stays as it is for as long as somebody holds it. */
export const ownMemory: Memory = (length) => Buffer.allocUnsafe(length);

/**
 * Memory for batches that are done with soon, one behind the other, used again and again. Without it
 * the garbage of frames on their way to sockets cost io a third of its time.
 *
 * Whether it can begin anew is asked when a batch is taken, not told when something was sent: what the
 * reader of a batch still has to do with it is over only then.
 */
export class Arena {
  readonly #memory: Buffer;
  readonly #isFree: () => boolean;
  readonly #full: () => void;
  #at = 0;

  /**
   * `isFree` says whether nothing of what was given out is needed any more; `full` has to see to it that
   * it is so.
   */
  constructor(bytes: number, isFree: () => boolean, full: () => void = () => {}) {
    this.#memory = Buffer.allocUnsafeSlow(bytes);
    this.#isFree = isFree;
    this.#full = full;
  }

  readonly take: Memory = (length) => {
    if (length > this.#memory.length) return ownMemory(length);
    if (this.#isFree()) this.#at = 0;
    if (this.#at + length > this.#memory.length) {
      this.#full();
      this.#at = 0;
    }
    const start = this.#at;
    this.#at += length;
    return this.#memory.subarray(start, this.#at);
  };
}
