// Frame of a long message that is sent many times under different numbers, masked only once: the
// attackers share the machine with the relay, and would spend as much time on their frames.

import { FrameWriter } from '../../bench/client/frames.ts';

const DIGITS = 8;
const ZERO = '0'.charCodeAt(0);

/** Masked text frame of `before`, a number of eight digits, `after`; all ASCII. */
export class NumberedFrame {
  readonly #head: Buffer;
  readonly #tail: Buffer;

  constructor(before: string, after: string) {
    const writer = new FrameWriter();
    writer.text(`${before}${'0'.repeat(DIGITS)}${after}`);
    const frame = writer.take();
    const tailAt = frame.length - after.length;
    this.#head = frame.subarray(0, tailAt);
    this.#tail = frame.subarray(tailAt);
  }

  /** Returns the frame with a number, in two parts; the second is the same for all numbers. */
  numbered(number: number): [head: Buffer, tail: Buffer] {
    const head = Buffer.from(this.#head);
    const digits = String(number).padStart(DIGITS, '0');
    // Masking is an exclusive or, so a changed bit under the mask is changed in the message.
    for (let n = 0; n < DIGITS; n++) {
      head[head.length - DIGITS + n]! ^= digits.charCodeAt(n) ^ ZERO;
    }
    return [head, this.#tail];
  }
}
