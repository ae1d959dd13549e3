// Channel between the admin worker and the writer.

import type { Channel } from '../channel/channel.ts';
import { MessageInbox, MessageOutbox } from '../channel/outbox.ts';
import type { Change, ChangeReply, ChangeRequest, FromWriter } from '../messages/admin-writer.ts';
import type { RejectionBatch } from '../messages/rejections.ts';
import { RpcError } from '../rpc/method.ts';

/** Maximum number of requests waiting for the writer; further ones are refused. */
const REQUESTS_MAX = 1_000;

interface Waiting {
  resolve(rows: readonly number[]): void;
  reject(error: Error): void;
}

/**
 * Client of the writer: all database changes of the admin worker go through it. Replies are matched
 * to requests by number.
 */
export class WriterLink {
  #outbox: MessageOutbox<ChangeRequest> | null = null;
  #last = 0;
  readonly #onRejections: (batch: RejectionBatch) => void;
  readonly #waiting = new Map<number, Waiting>();

  /** Takes `onRejections`, which receives the rejection records of the writer. */
  constructor(onRejections: (batch: RejectionBatch) => void) {
    this.#onRejections = onRejections;
  }

  attach(channel: Channel): void {
    this.#outbox = new MessageOutbox<ChangeRequest>(channel);
    const inbox = new MessageInbox<FromWriter>();
    channel.receive((batch) => {
      for (const message of inbox.read(batch)) {
        if (message.t === 'rejections') this.#onRejections(message);
        else this.#take(message);
      }
    });
  }

  /** See `AdminContext.change`. */
  change(changes: readonly Change[]): Promise<readonly number[]> {
    const outbox = this.#outbox;
    if (outbox === null || this.#waiting.size >= REQUESTS_MAX) {
      throw new RpcError('unavailable', 'The writer is busy; try again.');
    }
    const n = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(n, { resolve, reject });
      outbox.send({ n, changes: [...changes] });
    });
  }

  /** Flushes queued requests at shutdown. */
  flush(): void {
    this.#outbox?.flush();
  }

  #take({ n, rows, error }: ChangeReply): void {
    const waiting = this.#waiting.get(n);
    this.#waiting.delete(n);
    if (error === '') waiting?.resolve(rows);
    else waiting?.reject(new RpcError('unavailable', error));
  }
}
