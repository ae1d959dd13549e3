// Watchdog table for policy modules in shared memory. Ingester workers write their own row; the
// supervisor reads all rows and switches modules off.

/**
 * Capacity of the table, more than any relay uses; workers and modules beyond it are not watched.
 */
const WORKERS_MAX = 256;
const MODULES_MAX = 64;
/** Row of a worker: start of the call, module that it is in (0: none), number of the call. */
const ROW_BYTES = 16;

/** Bits for the exported hooks, since a module that is switched off is not loaded again. */
export const HOOK_BITS = { acceptEvent: 1, acceptFilter: 2, acceptConnection: 4 } as const;
const OFF = 8;

/** Call that a worker has not returned from. */
interface StuckCall {
  /** Index in `policy.modules`. */
  readonly module: number;
  /** Number that distinguishes the calls of one worker. */
  readonly call: number;
  readonly milliseconds: number;
}

/**
 * Table of the policy module that each ingester worker is executing, in shared memory: a worker
 * blocked in a module cannot report it, so another thread has to check. It also holds the modules
 * that were switched off for that.
 */
export class ModuleWatch {
  readonly #times: Float64Array;
  readonly #words: Int32Array;
  readonly #modules: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.#times = new Float64Array(shared, 0, (WORKERS_MAX * ROW_BYTES) / 8);
    this.#words = new Int32Array(shared, 0, (WORKERS_MAX * ROW_BYTES) / 4);
    this.#modules = new Int32Array(shared, WORKERS_MAX * ROW_BYTES, MODULES_MAX);
  }

  static share(): SharedArrayBuffer {
    return new SharedArrayBuffer(WORKERS_MAX * ROW_BYTES + MODULES_MAX * 4);
  }

  /** Records that a worker calls a module; `at` in shared milliseconds (`lib/clock.ts`). */
  enter(worker: number, module: number, at: number): void {
    if (module >= MODULES_MAX) return;
    this.#times[worker * 2] = at;
    this.#words[worker * 4 + 3]!++;
    Atomics.store(this.#words, worker * 4 + 2, module + 1);
  }

  /** Records that the call has returned; also when a worker starts, after a predecessor's crash. */
  leave(worker: number): void {
    Atomics.store(this.#words, worker * 4 + 2, 0);
  }

  /** Returns the call that a worker is in, or null. */
  callOf(worker: number, now: number): StuckCall | null {
    const module = Atomics.load(this.#words, worker * 4 + 2) - 1;
    if (module < 0) return null;
    const call = this.#words[worker * 4 + 3]!;
    return { module, call, milliseconds: now - this.#times[worker * 2]! };
  }

  /** Records the exports of a module that was loaded. */
  loaded(module: number, hooks: number): void {
    if (module < MODULES_MAX) Atomics.or(this.#modules, module, hooks);
  }

  /** Switches a module off for all workers, until the process ends. */
  switchOff(module: number): void {
    Atomics.or(this.#modules, module, OFF);
  }

  isOff(module: number): boolean {
    return module < MODULES_MAX && (Atomics.load(this.#modules, module) & OFF) !== 0;
  }

  /** Returns true if a module exports a hook, as far as it was ever loaded. */
  has(module: number, hook: keyof typeof HOOK_BITS): boolean {
    return (Atomics.load(this.#modules, module) & HOOK_BITS[hook]) !== 0;
  }
}
