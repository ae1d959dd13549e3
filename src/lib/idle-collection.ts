import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A thread is calm when it is busy for no more than this share of the time. */
export const CALM_SHARE = 0.2;
/** Calm seconds after which a thread collects. */
const CALM_SECONDS = 10;
/** It is worth it for so much garbage, in bytes and as a share of what was kept. */
const GARBAGE_BYTES_MIN = 8 * 1024 * 1024;
const GARBAGE_SHARE_MIN = 0.5;

const releases: (() => void)[] = [];

/** Has `release` called when this thread has become calm, to give up what it can get again. */
export function onCalm(release: () => void): void {
  releases.push(release);
}

/**
 * Collects the garbage of a thread that has become calm: V8 collects when memory is asked for, so
 * without it a thread that was flooded keeps what it had then, 70 MB of it measured, until it is busy
 * again. A collection takes 10 to 30 ms. Before, once after each time that the thread was busy, what
 * `onCalm` was given is called.
 */
export class IdleCollection {
  readonly #collect: () => void;
  readonly #release: () => void;
  /** Bytes in use after the last collection; Infinity: none was seen. */
  #kept = Number.POSITIVE_INFINITY;
  #calmSeconds = 0;
  #collected = false;
  #wasBusy = false;

  /** Both for tests. */
  constructor(collect: () => void = collectGarbage, release: () => void = releaseAll) {
    this.#collect = collect;
    this.#release = release;
  }

  /** Once a second: the share of it in which the thread was busy, and the bytes in use on its heap. */
  sample(busyShare: number, heapBytes: number): void {
    // What is in use after a collection is less than at any other time.
    if (this.#collected || heapBytes < this.#kept) this.#kept = heapBytes;
    this.#collected = false;
    const isCalm = busyShare <= CALM_SHARE;
    this.#calmSeconds = isCalm ? this.#calmSeconds + 1 : 0;
    if (!isCalm) this.#wasBusy = true;
    if (this.#calmSeconds < CALM_SECONDS) return;
    if (this.#wasBusy) this.#release();
    this.#wasBusy = false;
    const garbage = heapBytes - this.#kept;
    if (garbage < GARBAGE_BYTES_MIN || garbage < this.#kept * GARBAGE_SHARE_MIN) return;
    this.#calmSeconds = 0;
    this.#collect();
    this.#collected = true;
  }
}

function releaseAll(): void {
  for (const release of releases) release();
}

let gc: (() => void) | null = null;

function collectGarbage(): void {
  if (gc === null) {
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as () => void;
  }
  gc();
}
