// Progress display of command-line tools, on standard error.

import { formatCount, formatSeconds } from './format.ts';

const REDRAW_MILLISECONDS = 100;
/** Minimum time between two progress lines where the output is not a terminal. */
const LINE_MILLISECONDS = 10_000;
const BAR_WIDTH = 24;
const ERASE_LINE = '\r\x1b[2K';

/** Output for progress: standard error, or a replacement in tests. */
interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/**
 * Progress display: a bar that is redrawn on a terminal, and a plain line at intervals elsewhere.
 * It goes to standard error, so that standard output holds results only.
 */
export class Progress {
  readonly #output: ProgressOutput;
  readonly #isTerminal: boolean;
  #label = '';
  #since = 0;
  #drawnAt = 0;
  #isDrawn = false;

  constructor(output: ProgressOutput = process.stderr) {
    this.#output = output;
    this.#isTerminal = output.isTTY === true;
  }

  /** Writes a line that stays. */
  say(text: string): void {
    this.clear();
    this.#output.write(`${text}\n`);
  }

  /** Writes a line unless the output is a terminal, which has the bar. */
  note(text: string): void {
    if (!this.#isTerminal) this.#output.write(`${text}\n`);
  }

  /**
   * Updates the display to `done` of `total`. A new label starts a new display.
   *
   * @param total 0 if it is not known.
   * @param note text shown instead of the rate, for work that `done` does not measure.
   */
  update(label: string, done: number, total: number, note?: string | (() => string)): void {
    const moment = performance.now();
    if (label !== this.#label) {
      this.#label = label;
      this.#since = moment;
      this.#drawnAt = this.#isTerminal ? 0 : moment;
    }
    const pause = this.#isTerminal ? REDRAW_MILLISECONDS : LINE_MILLISECONDS;
    if (moment - this.#drawnAt < pause) return;
    this.#drawnAt = moment;
    const seconds = (moment - this.#since) / 1000;
    const share = total > 0 ? Math.min(done / total, 1) : 0;
    const left = share > 0 ? (seconds * (1 - share)) / share : 0;
    const given = typeof note === 'function' ? note() : note;
    const rate = given ?? (seconds > 0 ? `${formatCount(done / seconds)}/s` : '');
    if (total === 0) {
      const text = `${label}: ${rate}, ${formatSeconds(seconds)}`;
      this.#output.write(this.#isTerminal ? `${ERASE_LINE}${text}` : `${text}\n`);
      this.#isDrawn = this.#isTerminal;
      return;
    }
    const text = `${rate}, ${formatSeconds(left)} left`;
    if (this.#isTerminal) {
      const full = Math.round(share * BAR_WIDTH);
      const bar = '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
      this.#output.write(`${ERASE_LINE}${label} ${bar} ${Math.floor(share * 100)} % · ${text}`);
      this.#isDrawn = true;
    } else {
      this.#output.write(`${label}: ${Math.floor(share * 100)} %, ${text}\n`);
    }
  }

  /** Erases the bar. */
  clear(): void {
    if (this.#isDrawn) this.#output.write(ERASE_LINE);
    this.#isDrawn = false;
    this.#label = '';
  }
}
