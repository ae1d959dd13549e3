// Repeated requests of the page /admin, paused while the tab is hidden.

import { messageOf } from './api.ts';

const PAUSE_MILLISECONDS_MAX = 60_000;

/** State of a poller. */
export interface PollState {
  /** `waiting`: there was no answer yet; `paused`: the tab is hidden. */
  readonly kind: 'waiting' | 'live' | 'failing' | 'paused';
  /** Time of the last good answer, in milliseconds since 1970; 0: never. */
  readonly goodAt: number;
  /** Message of the last failure; '' after a good answer. */
  readonly error: string;
  /** Time of the next request, in milliseconds since 1970. */
  readonly nextAt: number;
}

/**
 * Repeats a request while the tab is visible. Intervals double, up to a minute, while it fails; it
 * is repeated at once after the network returns or the tab becomes visible. At most one request is
 * in flight.
 */
export class Poller {
  readonly #ask: (left: AbortSignal) => Promise<void>;
  readonly #milliseconds: () => number;
  readonly #left: AbortSignal;
  readonly #listeners = new Set<(state: PollState) => void>();
  #state: PollState = { kind: 'waiting', goodAt: 0, error: '', nextAt: 0 };
  #failures = 0;
  #timer = 0;
  #underWay = false;

  /** `ask` requests one answer and shows it; `milliseconds` returns the pause after an answer. */
  constructor(
    ask: (left: AbortSignal) => Promise<void>,
    milliseconds: () => number,
    left: AbortSignal,
  ) {
    this.#ask = ask;
    this.#milliseconds = milliseconds;
    this.#left = left;
    const options = { signal: left };
    document.addEventListener('visibilitychange', () => this.#look(), options);
    window.addEventListener('online', () => this.now(), options);
    left.addEventListener('abort', () => clearTimeout(this.#timer));
    this.#look();
  }

  get state(): PollState {
    return this.#state;
  }

  /** Calls a listener with the state now and with every change. */
  watch(listener: (state: PollState) => void, left: AbortSignal): void {
    this.#listeners.add(listener);
    left.addEventListener('abort', () => this.#listeners.delete(listener));
    listener(this.#state);
  }

  /** Makes a request at once, unless one is in flight. */
  now(): void {
    void this.#once();
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (document.hidden) this.#tell({ kind: 'paused' });
    else this.now();
  }

  async #once(): Promise<void> {
    if (this.#underWay || this.#left.aborted) return;
    clearTimeout(this.#timer);
    this.#underWay = true;
    let pause = this.#milliseconds();
    try {
      await this.#ask(this.#left);
      this.#failures = 0;
      this.#tell({ kind: 'live', goodAt: Date.now(), error: '', nextAt: Date.now() + pause });
    } catch (error) {
      if (this.#left.aborted) return;
      this.#failures++;
      pause = Math.min(PAUSE_MILLISECONDS_MAX, Math.max(pause, 2_000) * 2 ** (this.#failures - 1));
      this.#tell({ kind: 'failing', error: messageOf(error), nextAt: Date.now() + pause });
    } finally {
      this.#underWay = false;
    }
    if (document.hidden) this.#tell({ kind: 'paused' });
    else this.#timer = window.setTimeout(() => this.now(), pause);
  }

  #tell(change: Partial<PollState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener(this.#state);
  }
}
