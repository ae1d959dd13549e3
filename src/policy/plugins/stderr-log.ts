// Rate-limited log of the output of plugins that is no answer.

import type { Log } from '../../log/log.ts';

const LINES_MAX = 50;
const WINDOW_MILLISECONDS = 1_000;
const LINE_LENGTH_MAX = 1_000;

/** Stderr log of a plugin: passes on its output beside the answers, up to a rate. */
export class PluginStderrLog {
  readonly #plugin: string;
  readonly #log: Log;
  #lines = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(plugin: string, log: Log) {
    this.#plugin = plugin;
    this.#log = log;
  }

  printed(line: string, isAnswerPipe: boolean): void {
    this.#timer ??= setTimeout(() => this.#count(), WINDOW_MILLISECONDS);
    if (++this.#lines > LINES_MAX) return;
    const facts = { plugin: this.#plugin, line: line.slice(0, LINE_LENGTH_MAX) };
    if (isAnswerPipe) this.#log.warn('a plugin printed a line that is not a response', facts);
    else this.#log.info('plugin output', facts);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  #count(): void {
    const more = this.#lines - LINES_MAX;
    if (more > 0) {
      this.#log.warn('plugin output was left out of the log', {
        plugin: this.#plugin,
        linesOmitted: more,
      });
    }
    this.#lines = 0;
    this.#timer = null;
  }
}
