/**
 * A circuit breaker: after so many failures in a row nobody is asked for a while, then one is let
 * through to try; if that succeeds, all are again.
 */
export class Breaker {
  readonly #failuresMax: number;
  readonly #milliseconds: number;
  #failures = 0;
  /** Until when nobody is asked; 0 while closed. */
  #openUntil = 0;
  #trying = false;

  constructor(failuresMax: number, milliseconds: number) {
    this.#failuresMax = failuresMax;
    this.#milliseconds = milliseconds;
  }

  get isOpen(): boolean {
    return this.#openUntil > 0;
  }

  /** Whether somebody may be asked now. One that is let through to try has to report how it went. */
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

  /** Answers whether the breaker has opened just now. */
  failed(now: number): boolean {
    const wasOpen = this.isOpen;
    this.#trying = false;
    this.#failures++;
    if (this.#failures >= this.#failuresMax) this.#openUntil = now + this.#milliseconds;
    return !wasOpen && this.isOpen;
  }
}
