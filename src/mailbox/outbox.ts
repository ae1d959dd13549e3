import type { MessagePort } from 'node:worker_threads';
import { Packr } from 'msgpackr';
import { RecordWriter } from './records.ts';

/**
 * A batch that grows past this leaves at once instead of at the end of the turn. Below 128 kB, from
 * where on malloc maps and clears fresh pages for every batch.
 */
const FLUSH_BYTES = 64 * 1024;

/**
 * The sending end of a link that carries binary records: `records` is written to, `touch` is called
 * after every record, and one message leaves at the end of the turn of the event loop.
 */
export class RecordOutbox {
  readonly records = new RecordWriter();
  readonly #port: MessagePort;
  readonly #posted: () => void;
  #scheduled = false;

  /** `posted` is called when a batch is on its way. */
  constructor(port: MessagePort, posted: () => void = () => {}) {
    this.#port = port;
    this.#posted = posted;
  }

  /** After a record: the batch leaves at the end of this turn, or now if it has grown large. */
  touch(): void {
    if (this.records.length >= FLUSH_BYTES) this.flush();
    else this.schedule();
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

  flush(): void {
    if (this.records.length === 0) return;
    const batch = this.records.take();
    this.#port.postMessage(batch, [batch]);
    this.#posted();
  }
}

/**
 * The sending end of a link that carries small structured messages: one turn's messages leave as one
 * msgpackr array. Record structures are written once a batch, so the two ends share no state.
 */
export class MessageOutbox<Message> {
  readonly #port: MessagePort;
  readonly #packr = new Packr({ useRecords: true, moreTypes: false, bundleStrings: false });
  #waiting: Message[] = [];

  constructor(port: MessagePort) {
    this.#port = port;
  }

  send(message: Message): void {
    if (this.#waiting.push(message) === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const packed = this.#packr.pack(this.#waiting);
    this.#waiting = [];
    const batch = packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength);
    this.#port.postMessage(batch, [batch as ArrayBuffer]);
  }
}

/** The receiving end of a `MessageOutbox`. */
export class MessageInbox<Message> {
  readonly #packr = new Packr({ useRecords: true });

  read(batch: ArrayBuffer): Message[] {
    return this.#packr.unpack(new Uint8Array(batch)) as Message[];
  }
}
