// Interface of the load drivers, and what they share: waiting, opening connections, kinds of
// refusals.

import { Connection, type ConnectionOwner } from '../client/connection.ts';
import type { Target } from '../client/target.ts';
import type { Histogram } from '../figures/histogram.ts';
import { now } from './clock.ts';
import type { Control } from './control.ts';
import type { Tally } from './tally.ts';

/** Dependencies of every driver. */
export interface DriverContext {
  readonly target: Target;
  readonly control: Control;
  readonly tally: Tally;
  readonly thread: number;
  readonly threads: number;
  readonly graceMilliseconds: number;
}

/** One part of a run in one thread. */
export interface Driver {
  /** Opens connections and prepares everything that is not measured. */
  prepare(): Promise<void>;
  /** Begins the work; called at the same moment in all threads. */
  start(): void;
  /** Resolves when no work is left; never, for a part that only time ends. */
  readonly finished: Promise<void>;
  /**
   * Starts no more work and waits for outstanding answers, as long as the grace lasts. Those still
   * missing then are counted. Publishing drivers are stopped before the others.
   */
  stop(): Promise<void>;
  /** Connections, open or not, for the bytes they moved. */
  readonly connections: readonly Connection[];
  /** Delays of the pacer against its schedule. */
  readonly lag?: Histogram | undefined;
}

/** Promise that its owner resolves. */
export class Signal {
  readonly promise: Promise<void>;
  #resolve: () => void = () => {};

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  set(): void {
    this.#resolve();
  }
}

const POLL_MILLISECONDS = 5;

/** Waits until `done` returns true, for `milliseconds` at most; returns its last result. */
export async function waitUntil(done: () => boolean, milliseconds: number): Promise<boolean> {
  const until = now() + milliseconds;
  while (!done()) {
    if (now() >= until) return false;
    await sleep(POLL_MILLISECONDS);
  }
  return true;
}

/** Result of a wait for outstanding answers: all came; they stopped coming; the time was over. */
export type Waited = 'done' | 'quiet' | 'over';

/** Time without any answer after which no more are expected, in milliseconds. */
const QUIET_MILLISECONDS = 5000;

/**
 * Waits for outstanding answers. A slow relay may take its time, as long as something comes: `owed`
 * changes, or any thread of the run counts something.
 */
export async function waitWhileComing(
  done: () => boolean,
  owed: () => number,
  { control, graceMilliseconds }: DriverContext,
): Promise<Waited> {
  const until = now() + graceMilliseconds;
  // Two counters in one number, each modulo 2^26, which is enough to see a change.
  const received = () => (control.live().done % 2 ** 26) * 2 ** 26 + (owed() % 2 ** 26);
  let count = received();
  let changedAt = now();
  while (!done()) {
    const moment = now();
    if (received() !== count) {
      count = received();
      changedAt = moment;
    }
    if (moment - changedAt >= QUIET_MILLISECONDS) return 'quiet';
    if (moment >= until) return 'over';
    await sleep(POLL_MILLISECONDS);
  }
  return 'done';
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Number of handshakes at the same time while a part prepares. */
const OPENING = 32;

/**
 * Opens `count` connections with the numbers 0 … count - 1.
 *
 * @throws Error of the first one that could not be opened.
 */
export async function openAll(
  { target }: DriverContext,
  owner: ConnectionOwner,
  count: number,
): Promise<Connection[]> {
  const connections: Connection[] = new Array(count);
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const number = next++;
      connections[number] = await Connection.open(target, owner, { number });
    }
  };
  await Promise.all(Array.from({ length: Math.min(OPENING, count) }, worker));
  return connections;
}

const PREFIX = /^[a-z-]+(?=:)/;
const KIND_LENGTH_MAX = 60;

/**
 * Returns the kind of a refusal: its standard prefix, or the beginning of the text if it has none.
 */
export function refusalKind(text: string): string {
  return PREFIX.exec(text)?.[0] ?? (text.slice(0, KIND_LENGTH_MAX) || 'no reason given');
}
