// Lines of an import as the messages in which a client would send them, for the event validator.
// Each checking thread owns one.

import { MessageScan } from '../../protocol/message-scan.ts';
import type { Refusal } from '../../protocol/refusal.ts';

const MESSAGE_START = Buffer.from('["EVENT",');
/** Nesting levels that the message around an event adds. */
const MESSAGE_DEPTH = 1;

/** Parser of lines. The message and its scan are valid until the next line is parsed. */
export class LineMessage {
  readonly scan = new MessageScan();
  readonly #depthMax: number;
  #memory = Buffer.alloc(64 * 1024);
  #length = 0;

  constructor(depthMax: number) {
    this.#depthMax = depthMax;
    MESSAGE_START.copy(this.#memory);
  }

  /** Message around the line that was parsed last. */
  get message(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  /** Parses a line into a value, or returns the refusal. */
  parse(line: Buffer): { value: unknown } | Refusal {
    this.#copy(line);
    const { scan } = this;
    scan.scan(this.message, this.#depthMax + MESSAGE_DEPTH);
    if (scan.tooDeep) return `invalid: the line nests deeper than ${this.#depthMax} levels`;
    try {
      return { value: JSON.parse(line.toString()) };
    } catch {
      return 'invalid: the line is not JSON';
    }
  }

  #copy(line: Buffer): void {
    const length = MESSAGE_START.length + line.length + 1;
    if (length > this.#memory.length) {
      this.#memory = Buffer.alloc(length * 2);
      MESSAGE_START.copy(this.#memory);
    }
    line.copy(this.#memory, MESSAGE_START.length);
    this.#memory[length - 1] = 0x5d;
    this.#length = length;
  }
}
