import type { DeliveryGroup } from '../messages.ts';
import { MESSAGE_END } from '../protocol/answers.ts';

/** Longer frames are put together in memory of their own. */
const SCRATCH_BYTES = 64 * 1024;

const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** What a socket is given: bytes that are there, or a live event. */
export type Frame = Buffer | LiveFrame;

/**
 * A live event for all subscriptions that share a subscription id. Its frame is put together when it
 * leaves, and once for all of them; until then an event is in memory once, whoever waits for it.
 */
export class LiveFrame {
  readonly length: number;
  readonly #prefix: Buffer;
  readonly #json: Buffer;
  readonly #shared: boolean;
  #whole: Buffer | null = null;

  /**
   * @param prefix how the frame begins, see `eventPrefix`.
   * @param json the event.
   * @param shared whether more than one subscription waits for it.
   */
  constructor(prefix: Buffer, json: Buffer, shared: boolean) {
    this.length = prefix.length + json.length + 1;
    this.#prefix = prefix;
    this.#json = json;
    this.#shared = shared;
  }

  /** The event's JSON, the same memory for all of its frames. */
  get json(): Buffer {
    return this.#json;
  }

  /** The frame, good until the next one is asked for its own. */
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

/** An event on its way to live subscriptions, in memory of its own: one frame for each group of them. */
export class LiveEvent {
  readonly #json: Buffer;
  #group: DeliveryGroup | null = null;
  #frame: LiveFrame | null = null;

  constructor(json: Buffer) {
    this.#json = Buffer.from(json);
  }

  /** The frame of a group, whose subscriptions come one after the other; `prefix` begins it. */
  frameFor(group: DeliveryGroup, prefix: Buffer): LiveFrame {
    if (this.#frame === null || group !== this.#group) {
      this.#frame = new LiveFrame(prefix, this.#json, group.size > 1);
      this.#group = group;
    }
    return this.#frame;
  }
}
