// Frames of live events, shared between subscriptions. Used by the main thread only.

import type { DeliveryGroup } from '../messages/monitor-io.ts';
import { MESSAGE_END } from '../protocol/answers.ts';

/** Size of the shared buffer for building frames; longer ones get a buffer of their own. */
const SCRATCH_BYTES = 64 * 1024;

const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** Frame for a socket: bytes, or a live event. */
export type Frame = Buffer | LiveFrame;

/**
 * Frame of a live event for all subscriptions with the same subscription id. It is built when it is
 * sent, once for all of them; until then the event is in memory once, however many connections wait
 * for it.
 */
export class LiveFrame {
  readonly length: number;
  readonly #prefix: Buffer;
  readonly #json: Buffer;
  readonly #shared: boolean;
  #whole: Buffer | null = null;

  /**
   * @param prefix beginning of the frame, see `eventPrefix`.
   * @param json the event.
   * @param shared true if more than one subscription waits for it.
   */
  constructor(prefix: Buffer, json: Buffer, shared: boolean) {
    this.length = prefix.length + json.length + 1;
    this.#prefix = prefix;
    this.#json = json;
    this.#shared = shared;
  }

  /** JSON of the event, the same memory for all of its frames. */
  get json(): Buffer {
    return this.#json;
  }

  /** Bytes of the frame, valid until the bytes of the next frame are requested. */
  get bytes(): Buffer {
    if (this.#whole !== null) return this.#whole;
    const inScratch = !this.#shared && this.length <= SCRATCH_BYTES;
    const frame = inScratch ? scratch.subarray(0, this.length) : Buffer.allocUnsafe(this.length);
    frame.set(this.#prefix);
    frame.set(this.#json, this.#prefix.length);
    frame[this.length - 1] = MESSAGE_END;
    if (this.#shared) this.#whole = frame;
    return frame;
  }
}

/** Live event for its subscriptions, in its own memory: one frame for each group of them. */
export class LiveEvent {
  readonly #json: Buffer;
  #group: DeliveryGroup | null = null;
  #frame: LiveFrame | null = null;

  constructor(json: Buffer) {
    this.#json = Buffer.from(json);
  }

  /** Returns the frame of a group, beginning with `prefix`; its subscriptions come in a row. */
  frameFor(group: DeliveryGroup, prefix: Buffer): LiveFrame {
    if (this.#frame === null || group !== this.#group) {
      this.#frame = new LiveFrame(prefix, this.#json, group.size > 1);
      this.#group = group;
    }
    return this.#frame;
  }
}
