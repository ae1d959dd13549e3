// Guarded call of one hook of a policy module: time-out, circuit breaker and log.

import type { Log } from '../../log/log.ts';
import { Breaker } from './breaker.ts';

/** Shortest time between two log lines about the same hook. */
const LOG_MILLISECONDS = 1_000;

/** Options of a hook, from the configuration and the module's state. */
export interface HookOptions {
  readonly timeoutMilliseconds: number;
  readonly breakerFailures: number;
  readonly breakerMilliseconds: number;
  /** Returns true if the module is switched off, see `ModuleWatch`: every call fails at once. */
  readonly isOff: () => boolean;
  /** Called before the hook; `leaves` is called after it. The hook itself may never return. */
  readonly enters: () => void;
  readonly leaves: () => void;
  /** Takes the seconds until an answer. */
  readonly time: (seconds: number) => void;
}

/** Result of a call without a valid answer. */
export const FAILED = Symbol('failed');

/**
 * Hook: one function of a policy module. Each call results in an answer or in `FAILED`: it fails if
 * it throws, rejects, takes too long (also when it blocks the worker thread meanwhile), or returns
 * a value that `read` rejects. After some failures in a row it is not called for a while.
 */
export class Hook<Arguments extends readonly unknown[], Answer> {
  readonly name: string;
  readonly #call: (...given: Arguments) => unknown;
  readonly #read: (answer: unknown) => Answer | undefined;
  readonly #options: HookOptions;
  readonly #breaker: Breaker;
  readonly #log: Log;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(
    name: string,
    call: (...given: Arguments) => unknown,
    read: (answer: unknown) => Answer | undefined,
    options: HookOptions,
    log: Log,
  ) {
    this.name = name;
    this.#call = call;
    this.#read = read;
    this.#options = options;
    this.#breaker = new Breaker(options.breakerFailures, options.breakerMilliseconds);
    this.#log = log;
  }

  /** Returns the answer, or a promise of it that never rejects. */
  ask(...given: Arguments): Answer | typeof FAILED | Promise<Answer | typeof FAILED> {
    const before = performance.now();
    if (this.#options.isOff() || !this.#breaker.admits(before)) return FAILED;
    let said: unknown;
    this.#options.enters();
    try {
      said = this.#call(...given);
    } catch (error) {
      return this.#failed(error);
    } finally {
      this.#options.leaves();
    }
    const spent = performance.now() - before;
    if (spent > this.#options.timeoutMilliseconds) {
      this.#options.time(spent / 1000);
      if (isThenable(said)) said.then(undefined, () => {});
      return this.#failed(`it blocked its worker for ${Math.round(spent)} ms`);
    }
    if (isThenable(said)) return this.#wait(said, before);
    this.#options.time(spent / 1000);
    return this.#taken(said);
  }

  async #wait(promise: PromiseLike<unknown>, askedAt: number): Promise<Answer | typeof FAILED> {
    const { timeoutMilliseconds } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`it has not answered for ${timeoutMilliseconds} ms`)),
        timeoutMilliseconds,
      );
    });
    try {
      return this.#taken(await Promise.race([promise, tooLate]));
    } catch (error) {
      return this.#failed(error);
    } finally {
      clearTimeout(timer);
      this.#options.time((performance.now() - askedAt) / 1000);
    }
  }

  #taken(said: unknown): Answer | typeof FAILED {
    const answer = this.#read(said);
    if (answer === undefined) return this.#failed(`it answered ${shown(said)}`);
    this.#breaker.succeeded();
    return answer;
  }

  #failed(error: unknown): typeof FAILED {
    const now = performance.now();
    if (this.#breaker.failed(now)) {
      this.#log.error('a policy module failed repeatedly; its circuit breaker is open', {
        hook: this.name,
        milliseconds: this.#options.breakerMilliseconds,
      });
    }
    if (now - this.#loggedAt >= LOG_MILLISECONDS) {
      this.#loggedAt = now;
      const why = error instanceof Error ? (error.stack ?? String(error)) : String(error);
      this.#log.error('a policy module failed', { hook: this.name, why });
    }
    return FAILED;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : `${typeof value} ${String(value).slice(0, 80)}`;
}
