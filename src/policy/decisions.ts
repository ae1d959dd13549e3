import { isLowerHex } from '../protocol/canonical.ts';

/** What was decided about an event, for `wok why`. */
export interface Decision {
  /** 64 hex characters. */
  id: string;
  /** The author as the event says, or ''. */
  pubkey: string;
  /** Seconds since 1970. */
  at: number;
  /**
   * `shadowed`: the client was told OK, and nothing was stored; `quarantined`: it is kept apart until
   * somebody releases or discards it.
   */
  action: 'refused' | 'shadowed' | 'quarantined' | 'removed';
  /** A name of `rule-names.ts`; for what was removed why: `replaced`, `deleted`, `expired`, … */
  rule: string;
  /** Which of several plugins, or who removed it; '' otherwise. */
  by: string;
  /** What the client was told, or the reason. */
  text: string;
}

/** Decisions on their way to the admin room, and how many were left out since the batch before. */
export interface DecisionBatch {
  decisions: Decision[];
  leftOut: number;
}

/** How long what was left out may wait to be told. */
const LEFT_OUT_MILLISECONDS = 1_000;

/**
 * What one thread remembers of its decisions until the admin room has them: at most so many a second,
 * the others are only counted, so that a flood of refusals costs nothing more than an addition each.
 */
export class DecisionNotes {
  /** Decisions a second; 0: none. */
  perSecond: number;
  readonly #now: () => number;
  #send: ((batch: DecisionBatch) => void) | null = null;
  #second = 0;
  #noted = 0;
  #leftOut = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(perSecond: number, now: () => number) {
    this.perSecond = perSecond;
    this.#now = now;
  }

  /** Where the decisions go; without it they are dropped. */
  to(send: (batch: DecisionBatch) => void): void {
    this.#send = send;
  }

  /** `event` is what a client sent, whatever it is; without an id there is nothing to ask for later. */
  note(event: unknown, action: Decision['action'], rule: string, text: string, by = ''): void {
    if (this.perSecond === 0 || this.#send === null) return;
    const at = this.#now();
    if (at !== this.#second) {
      this.#second = at;
      this.#noted = 0;
    }
    if (this.#noted >= this.perSecond) {
      this.#leave();
      return;
    }
    const { id, pubkey } = (event ?? {}) as { id?: unknown; pubkey?: unknown };
    if (!isHex(id)) return;
    this.#noted++;
    const decision = { id, pubkey: isHex(pubkey) ? pubkey : '', at, action, rule, by, text };
    this.#send({ decisions: [decision], leftOut: this.#leftOut });
    this.#leftOut = 0;
  }

  #leave(): void {
    if (++this.#leftOut > 1 || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#leftOut > 0) this.#send?.({ decisions: [], leftOut: this.#leftOut });
      this.#leftOut = 0;
    }, LEFT_OUT_MILLISECONDS);
    this.#timer.unref();
  }
}

function isHex(value: unknown): value is string {
  return typeof value === 'string' && isLowerHex(value, 64);
}
