// Memory allocation for the batches that a channel reads: a fresh buffer for each batch, or an
// arena that is reused. An arena belongs to the thread that reads the channel.

/** Allocator of memory for one batch of `length` bytes. */
export type Memory = (length: number) => Buffer;

/** Allocates a fresh buffer for every batch: it stays valid as long as it is referenced. */
export const ownMemory: Memory = (length) => Buffer.allocUnsafe(length);

/**
 * Bump allocator for short-lived batches, in memory that is used again and again. Without it the
 * garbage of frames on their way to sockets cost io a third of its time.
 *
 * `isFree` is asked at each allocation. Memory is not released when a batch has been sent, because
 * the reader may not be done with it then.
 */
export class Arena {
  readonly #memory: Buffer;
  readonly #isFree: () => boolean;
  readonly #full: () => void;
  #at = 0;

  /**
   * @param isFree returns true if none of the allocated memory is needed any more.
   * @param full called when no space is left; it must leave none of the memory in use.
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
