// Sending ends of channels, which collect the records or messages of one turn of the event loop
// into one batch, and the receiving end for messages. An outbox belongs to the sending thread.

// Without the native addon of 'msgpackr', which every thread would load for a few small messages.
import { Packr } from 'msgpackr/pack';
import { assert } from '../lib/assert.ts';
import type { Channel } from './channel.ts';
import { RecordWriter } from './records.ts';

/**
 * Size from which a batch is sent at once instead of at the end of the turn, so that it fits into
 * the ring of its channel.
 */
const FLUSH_BYTES = 32 * 1024;

/**
 * Sending end of a link that carries binary records. The caller writes to `records` and calls
 * `touch` after every record; one batch is sent at the end of the turn of the event loop.
 */
export class RecordOutbox {
  readonly records = new RecordWriter();
  readonly #channel: Channel;
  readonly #posted: () => void;
  readonly #quiet: boolean;
  #scheduled = false;
  /** Length up to which the batch contains only records that need not wake the receiver. */
  #quietLength = 0;

  /**
   * @param posted called when a batch has been sent.
   * @param quiet true if no batch of this outbox wakes the receiver (see `Channel.send`).
   */
  constructor(channel: Channel, posted: () => void = () => {}, quiet = false) {
    this.#channel = channel;
    this.#posted = posted;
    this.#quiet = quiet;
  }

  /** Called after a record: sends the batch at the end of this turn, or now if it is large. */
  touch(): void {
    if (this.records.length >= FLUSH_BYTES) this.flush();
    else this.schedule();
  }

  /** Writes records that can wait until the receiver's next poll: they alone do not wake it. */
  quietly(write: (records: RecordWriter) => void): void {
    const isQuiet = this.records.length === this.#quietLength;
    write(this.records);
    if (isQuiet) this.#quietLength = this.records.length;
    this.schedule();
  }

  /** Sends the batch at the end of this turn, for a record that must not leave earlier. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** True if the other side reads more slowly than this one sends. */
  get isCongested(): boolean {
    return this.#channel.isCongested;
  }

  /** Sends the collected records now. */
  flush(): void {
    if (this.records.length === 0) return;
    const isQuiet = this.#quiet || this.records.length === this.#quietLength;
    this.#quietLength = 0;
    this.#channel.send(this.records.written, isQuiet);
    this.records.clear();
    this.#posted();
  }
}

/**
 * Sending end of a link that carries small structured messages: the messages of one turn are sent
 * as one msgpackr array. Record structures are written once a batch, so the two ends share no
 * state.
 */
export class MessageOutbox<Message> {
  readonly #channel: Channel;
  readonly #packr = new Packr({ useRecords: true, moreTypes: false, bundleStrings: false });
  #waiting: Message[] = [];

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  send(message: Message): void {
    if (this.#waiting.push(message) === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const packed = this.#packr.pack(this.#waiting);
    this.#waiting = [];
    this.#channel.send(packed);
  }
}

/** Receiving end of a `MessageOutbox`. */
export class MessageInbox<Message> {
  readonly #packr = new Packr({ useRecords: true });

  read(batch: Uint8Array): Message[] {
    const messages = this.#packr.unpack(batch) as unknown;
    assert(Array.isArray(messages), 'a batch of messages is not a list');
    return messages as Message[];
  }
}
