// Counters of a load thread.

import { Histogram, type HistogramData } from '../figures/histogram.ts';
import type { Control } from './control.ts';

const EXAMPLES_MAX = 5;
const EXAMPLE_LENGTH = 300;

/** Result of one kind of work in one thread, as it is sent to the main thread. */
export interface ActionData {
  readonly latency: HistogramData;
  /** Number of completions in all; `measured` counts those after the warm-up. */
  readonly done: number;
  readonly measured: number;
  /** Time of the last completion, by clock.ts. */
  readonly lastAt: number;
  /** Number of events or other items that came with the answers, after the warm-up. */
  readonly items: number;
  /** One histogram for each interval from the start on; empty if nothing was completed in it. */
  readonly intervals: readonly HistogramData[];
}

/** Counters of one thread, as they are sent to the main thread. */
export interface TallyData {
  readonly actions: Readonly<Record<string, ActionData>>;
  /** Number of failures without a wrong answer (refused, timed out, cut off), by kind. */
  readonly errors: Readonly<Record<string, number>>;
  /** Number of wrong answers, by kind; one is enough to fail a run. */
  readonly wrong: Readonly<Record<string, number>>;
  /** A few wrong answers in full. */
  readonly examples: readonly string[];
  /** Other counts: deliveries expected, readers closed, samples checked. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Counter of one kind of work. */
export class Action {
  readonly #control: Control;
  readonly #latency = new Histogram();
  readonly #intervals: (Histogram | undefined)[] = [];
  readonly #intervalMilliseconds: number;
  #done = 0;
  #measured = 0;
  #lastAt = 0;
  #items = 0;

  /** @param intervalMilliseconds length of an interval; 0: no intervals. */
  constructor(control: Control, intervalMilliseconds: number) {
    this.#control = control;
    this.#intervalMilliseconds = intervalMilliseconds;
  }

  get done(): number {
    return this.#done;
  }

  /** Counts work from `start` to `end`, both by clock.ts, with `items` in its answer. */
  record(start: number, end: number, items = 0): void {
    const { measureFrom } = this.#control;
    const microseconds = (end - start) * 1000;
    this.#done++;
    this.#lastAt = end;
    if (end >= measureFrom) {
      this.#measured++;
      this.#items += items;
    }
    if (start >= measureFrom) this.#latency.record(microseconds);
    if (this.#intervalMilliseconds > 0) {
      const at = Math.max(Math.floor((end - this.#control.goAt) / this.#intervalMilliseconds), 0);
      let interval = this.#intervals[at];
      if (interval === undefined) {
        interval = new Histogram();
        this.#intervals[at] = interval;
      }
      interval.record(microseconds);
    }
  }

  data(): ActionData {
    const empty = new Histogram().data();
    return {
      latency: this.#latency.data(),
      done: this.#done,
      measured: this.#measured,
      lastAt: this.#lastAt,
      items: this.#items,
      intervals: Array.from(this.#intervals, (interval) => interval?.data() ?? empty),
    };
  }
}

/** Counters of one thread. */
export class Tally {
  readonly #control: Control;
  readonly #headline: string;
  readonly #intervalMilliseconds: number;
  readonly #actions = new Map<string, Action>();
  readonly #errors: Record<string, number> = {};
  readonly #wrong: Record<string, number> = {};
  readonly #examples: string[] = [];
  readonly #counts: Record<string, number> = {};
  #failed = 0;

  /** Creates empty counters. Only the action called `headline` keeps intervals. */
  constructor(control: Control, headline: string, intervalMilliseconds: number) {
    this.#control = control;
    this.#headline = headline;
    this.#intervalMilliseconds = intervalMilliseconds;
  }

  action(name: string): Action {
    let action = this.#actions.get(name);
    if (action === undefined) {
      const interval = name === this.#headline ? this.#intervalMilliseconds : 0;
      action = new Action(this.#control, interval);
      this.#actions.set(name, action);
    }
    return action;
  }

  /** Number of completions of the headline action, and number of all failures and wrong answers. */
  get live(): { done: number; failed: number } {
    return { done: this.#actions.get(this.#headline)?.done ?? 0, failed: this.#failed };
  }

  error(kind: string, count = 1): void {
    if (count === 0) return;
    this.#errors[kind] = (this.#errors[kind] ?? 0) + count;
    this.#failed += count;
  }

  /** Counts a wrong answer. `example` says what was expected and what came. */
  wrong(kind: string, example = '', count = 1): void {
    if (count === 0) return;
    this.#wrong[kind] = (this.#wrong[kind] ?? 0) + count;
    this.#failed += count;
    if (example === '' || this.#examples.length >= EXAMPLES_MAX) return;
    this.#examples.push(`${kind}: ${example}`.slice(0, EXAMPLE_LENGTH));
  }

  count(name: string, more: number): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + more;
  }

  data(): TallyData {
    return {
      actions: Object.fromEntries(
        [...this.#actions].map(([name, action]) => [name, action.data()]),
      ),
      errors: this.#errors,
      wrong: this.#wrong,
      examples: this.#examples,
      counts: this.#counts,
    };
  }
}
