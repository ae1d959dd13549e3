import { messageOf } from './api.ts';

const PAUSE_MILLISECONDS_MAX = 60_000;

/** How a thing that is asked for again and again stands. */
export interface PollState {
  /** `waiting`: the first answer is not there yet; `paused`: nobody looks. */
  readonly kind: 'waiting' | 'live' | 'failing' | 'paused';
  /** When the last good answer came, in milliseconds since 1970; 0: never. */
  readonly goodAt: number;
  /** Why the last one failed. */
  readonly error: string;
  /** When it is tried again, in milliseconds since 1970. */
  readonly nextAt: number;
}

/**
 * Asks again and again while somebody looks: not while the tab is hidden, at ever longer intervals (up to
 * a minute) while it fails, and at once when the network or the eyes come back.
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

  /** `ask` takes one answer and shows it; `milliseconds` says how long to wait after one. */
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

  /** Tells of every change of the state, and of the one now. */
  watch(listener: (state: PollState) => void, left: AbortSignal): void {
    this.#listeners.add(listener);
    left.addEventListener('abort', () => this.#listeners.delete(listener));
    listener(this.#state);
  }

  /** Asks at once. */
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
