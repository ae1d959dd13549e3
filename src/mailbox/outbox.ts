import { Packr } from 'msgpackr';
import type { Channel } from './channel.ts';
import { RecordWriter } from './records.ts';

/**
 * A batch that grows past this leaves at once instead of at the end of the turn, so that it finds room
 * in the ring of its channel.
 */
const FLUSH_BYTES = 32 * 1024;

/**
 * The sending end of a link that carries binary records: `records` is written to, `touch` is called
 * after every record, and one message leaves at the end of the turn of the event loop.
 */
export class RecordOutbox {
  readonly records = new RecordWriter();
  readonly #channel: Channel;
  readonly #posted: () => void;
  readonly #quiet: boolean;
  #scheduled = false;
  /** As long as the batch is no longer than this, there is nothing in it worth waking somebody for. */
  #quietLength = 0;

  /**
   * `posted` is called when a batch is on its way. What leaves a quiet outbox wakes nobody (see
   * `Channel.send`).
   */
  constructor(channel: Channel, posted: () => void = () => {}, quiet = false) {
    this.#channel = channel;
    this.#posted = posted;
    this.#quiet = quiet;
  }

  /** After a record: the batch leaves at the end of this turn, or now if it has grown large. */
  touch(): void {
    if (this.records.length >= FLUSH_BYTES) this.flush();
    else this.schedule();
  }

  /** Writes what can wait until the other side looks by itself: that alone wakes nobody. */
  quietly(write: (records: RecordWriter) => void): void {
    const isQuiet = this.records.length === this.#quietLength;
    write(this.records);
    if (isQuiet) this.#quietLength = this.records.length;
    this.schedule();
  }

  /** After a record that must not leave before the end of this turn. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Sends what has gathered. */
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
 * The sending end of a link that carries small structured messages: one turn's messages leave as one
 * msgpackr array. Record structures are written once a batch, so the two ends share no state.
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

/** The receiving end of a `MessageOutbox`. */
export class MessageInbox<Message> {
  readonly #packr = new Packr({ useRecords: true });

  read(batch: Uint8Array): Message[] {
    return this.#packr.unpack(batch) as Message[];
  }
}
