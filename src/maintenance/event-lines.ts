// Buffered line output of commands, with backpressure.

import type { Writable } from 'node:stream';

const BLOCK_CHARACTERS = 64 * 1024;

/** Writer of lines to a stream, in blocks and with backpressure. */
export class LineOutput {
  readonly #stream: Writable;
  #block = '';

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** True if the reading side has closed the stream (`wok export | head`). */
  get closed(): boolean {
    return this.#stream.destroyed || this.#stream.errored !== null;
  }

  /** Adds a line; resolves when there is room for more. */
  async line(text: string): Promise<void> {
    this.#block += `${text}\n`;
    if (this.#block.length >= BLOCK_CHARACTERS) await this.flush();
  }

  async flush(): Promise<void> {
    const block = this.#block;
    this.#block = '';
    if (block === '' || this.closed || this.#stream.write(block)) return;
    await this.#drained();
  }

  /** Resolves on 'drain', and also on 'close', which the next line then sees. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#stream.removeListener('drain', done);
        this.#stream.removeListener('close', done);
        resolve();
      };
      this.#stream.on('drain', done);
      this.#stream.on('close', done);
    });
  }
}
