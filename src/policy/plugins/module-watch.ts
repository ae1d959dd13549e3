/** More lanes and modules than anybody runs; what is beyond is not watched. */
const LANES_MAX = 256;
const MODULES_MAX = 64;
/** For each lane: when the call began, which module it is in (0: none), the number of the call. */
const LANE_BYTES = 16;

/** Which of its hooks a module exports, as bits; one that is switched off is not loaded to tell. */
export const HOOK_BITS = { acceptEvent: 1, acceptFilter: 2, acceptConnection: 4 } as const;
const OFF = 8;

/** A call that a lane has not come back from. */
export interface StuckCall {
  /** The module's place in `policy.modules`. */
  readonly module: number;
  /** Tells calls of this lane apart. */
  readonly call: number;
  readonly milliseconds: number;
}

/**
 * In which policy module each ingester lane is just now, in shared memory: a lane that a module does not
 * give back answers nobody, so somebody else has to look. And which modules were switched off for that.
 */
export class ModuleWatch {
  readonly #times: Float64Array;
  readonly #words: Int32Array;
  readonly #modules: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.#times = new Float64Array(shared, 0, (LANES_MAX * LANE_BYTES) / 8);
    this.#words = new Int32Array(shared, 0, (LANES_MAX * LANE_BYTES) / 4);
    this.#modules = new Int32Array(shared, LANES_MAX * LANE_BYTES, MODULES_MAX);
  }

  static share(): SharedArrayBuffer {
    return new SharedArrayBuffer(LANES_MAX * LANE_BYTES + MODULES_MAX * 4);
  }

  /** A lane calls a module; `at` in shared milliseconds (`lib/clock.ts`). */
  enter(lane: number, module: number, at: number): void {
    if (module >= MODULES_MAX) return;
    this.#times[lane * 2] = at;
    this.#words[lane * 4 + 3]!++;
    Atomics.store(this.#words, lane * 4 + 2, module + 1);
  }

  /** The call has come back; also when a lane starts, for its predecessor may not have. */
  leave(lane: number): void {
    Atomics.store(this.#words, lane * 4 + 2, 0);
  }

  /** The call that a lane is in, or null. */
  callOf(lane: number, now: number): StuckCall | null {
    const module = Atomics.load(this.#words, lane * 4 + 2) - 1;
    if (module < 0) return null;
    const call = this.#words[lane * 4 + 3]!;
    return { module, call, milliseconds: now - this.#times[lane * 2]! };
  }

  /** Remembers what a module that was loaded exports. */
  loaded(module: number, hooks: number): void {
    if (module < MODULES_MAX) Atomics.or(this.#modules, module, hooks);
  }

  /** For all lanes, for as long as the process runs. */
  switchOff(module: number): void {
    Atomics.or(this.#modules, module, OFF);
  }

  isOff(module: number): boolean {
    return module < MODULES_MAX && (Atomics.load(this.#modules, module) & OFF) !== 0;
  }

  /** Whether a module exports a hook, as far as it was ever loaded. */
  has(module: number, hook: keyof typeof HOOK_BITS): boolean {
    return (Atomics.load(this.#modules, module) & HOOK_BITS[hook]) !== 0;
  }
}
