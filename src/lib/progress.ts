import { formatCount, formatSeconds } from './format.ts';

const REDRAW_MILLISECONDS = 100;
/** In a pipe a line says where things are no more often than this. */
const LINE_MILLISECONDS = 10_000;
const BAR_WIDTH = 24;
const ERASE_LINE = '\r\x1b[2K';

/** Where progress goes; standard error, or what a test gives. */
export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/**
 * Tells how far the work is: a bar that is redrawn on a terminal, now and then a plain line anywhere
 * else. It goes to standard error, so that standard output holds results only.
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

  /** A line that stays. */
  say(text: string): void {
    this.clear();
    this.#output.write(`${text}\n`);
  }

  /** A line for a log; a terminal has its bar. */
  note(text: string): void {
    if (!this.#isTerminal) this.#output.write(`${text}\n`);
  }

  /**
   * `done` of `total` are done; with another label something else begins. `note` stands instead of
   * the rate, where something else than `done` is worth counting. A `total` of 0 is not known.
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

  /** Takes the bar away. */
  clear(): void {
    if (this.#isDrawn) this.#output.write(ERASE_LINE);
    this.#isDrawn = false;
    this.#label = '';
  }
}
