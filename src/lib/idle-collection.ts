// Garbage collection in idle threads. Each thread owns one IdleCollection and its own list of
// release callbacks.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Largest busy share of the time at which a thread counts as idle. */
export const CALM_SHARE = 0.2;
/** Number of consecutive idle seconds before a thread collects. */
const CALM_SECONDS = 10;
/** Minimum of garbage that justifies a collection, in bytes and as a share of the kept bytes. */
const GARBAGE_BYTES_MIN = 8 * 1024 * 1024;
const GARBAGE_SHARE_MIN = 0.5;

/** Releases memory that can be obtained again; returns true if only a collection frees it. */
type Release = () => boolean;

const releases: Release[] = [];

/** Registers a callback for an idle thread. */
export function onCalm(release: Release): void {
  releases.push(release);
}

/**
 * Collects the garbage of a thread that has become idle. V8 collects only when memory is requested,
 * so that a thread keeps its memory from a flood (70 MB, measured) until it is busy again. A
 * collection takes 10 to 30 ms. Before the collection, once after each busy period, the callbacks
 * of `onCalm` run, which may ask for it.
 */
export class IdleCollection {
  readonly #collect: () => void;
  readonly #release: Release;
  /** Heap bytes in use after the last collection; Infinity if none was seen. */
  #kept = Number.POSITIVE_INFINITY;
  #calmSeconds = 0;
  #collected = false;
  #wasBusy = false;

  /**
   * @param collect replaced by tests.
   * @param release replaced by tests.
   */
  constructor(collect: () => void = collectGarbage, release: Release = releaseAll) {
    this.#collect = collect;
    this.#release = release;
  }

  /** Takes a sample, once a second: its busy share, and the bytes in use on the heap. */
  sample(busyShare: number, heapBytes: number): void {
    // A collection shows as a minimum of the bytes in use.
    if (this.#collected || heapBytes < this.#kept) this.#kept = heapBytes;
    this.#collected = false;
    const isCalm = busyShare <= CALM_SHARE;
    this.#calmSeconds = isCalm ? this.#calmSeconds + 1 : 0;
    if (!isCalm) this.#wasBusy = true;
    if (this.#calmSeconds < CALM_SECONDS) return;
    const isReleased = this.#wasBusy && this.#release();
    this.#wasBusy = false;
    const garbage = heapBytes - this.#kept;
    const isLittle = garbage < GARBAGE_BYTES_MIN || garbage < this.#kept * GARBAGE_SHARE_MIN;
    if (isLittle && !isReleased) return;
    this.#calmSeconds = 0;
    this.#collect();
    this.#collected = true;
  }
}

function releaseAll(): boolean {
  return releases.map((release) => release()).includes(true);
}

let gc: (() => void) | null = null;

function collectGarbage(): void {
  if (gc === null) {
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as () => void;
  }
  gc();
}
