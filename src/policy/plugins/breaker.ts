// Circuit breaker for plugins and policy modules.

/**
 * Circuit breaker: after so many failures in a row it rejects calls for a while, then admits one
 * trial call; if that succeeds, all calls are admitted again.
 */
export class Breaker {
  readonly #failuresMax: number;
  readonly #milliseconds: number;
  #failures = 0;
  /** Time until which calls are rejected; 0 while closed. */
  #openUntil = 0;
  #trying = false;

  constructor(failuresMax: number, milliseconds: number) {
    this.#failuresMax = failuresMax;
    this.#milliseconds = milliseconds;
  }

  get isOpen(): boolean {
    return this.#openUntil > 0;
  }

  /** Returns true if a call is admitted now. The result of a trial call must be reported. */
  admits(now: number): boolean {
    if (this.#openUntil === 0) return true;
    if (now < this.#openUntil || this.#trying) return false;
    this.#trying = true;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openUntil = 0;
    this.#trying = false;
  }

  /** Records a failure; returns true if the breaker has opened just now. */
  failed(now: number): boolean {
    const wasOpen = this.isOpen;
    this.#trying = false;
    this.#failures++;
    if (this.#failures >= this.#failuresMax) this.#openUntil = now + this.#milliseconds;
    return !wasOpen && this.isOpen;
  }
}
