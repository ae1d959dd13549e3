import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { MessageInbox, MessageOutbox } from '../mailbox/outbox.ts';
import type { Change, ChangeReply, ChangeRequest } from '../messages.ts';
import type { Db } from '../storage/open.ts';
import * as sql from '../storage/sql.ts';

/** Carries out one kind of change and tells how many rows it touched. */
type Handlers = {
  readonly [T in Change['t']]: (change: Extract<Change, { t: T }>) => number;
};

/** Where the admin room's requests become rows, each in a transaction of its own, between two commits. */
export class Desk {
  readonly #transact: (work: () => void) => Error | null;
  readonly #handlers: Handlers;
  #read: () => void = () => {};

  /** `transact` runs work in a transaction of the writer, and returns why it was rolled back. */
  constructor(db: Db, transact: (work: () => void) => Error | null) {
    this.#transact = transact;
    const audit = db.prepare(sql.INSERT_AUDIT);
    this.#handlers = {
      audit: ({ at, by, action, subject, reason }) =>
        audit.run(at, by, action, subject, reason).changes,
    };
  }

  attach(port: MessagePort): void {
    const outbox = new MessageOutbox<ChangeReply>(port);
    const inbox = new MessageInbox<ChangeRequest>();
    const take = (batch: ArrayBuffer) => {
      for (const request of inbox.read(batch)) outbox.send(this.#carryOut(request));
    };
    port.on('message', take);
    this.#read = () => {
      for (;;) {
        const received = receiveMessageOnPort(port);
        if (received === undefined) return;
        take(received.message as ArrayBuffer);
      }
    };
  }

  /** Carries out what the admin room asked for before it stopped. */
  stop(): void {
    this.#read();
  }

  #carryOut({ n, changes }: ChangeRequest): ChangeReply {
    const rows: number[] = [];
    const failure = this.#transact(() => {
      for (const change of changes) rows.push(this.#one(change));
    });
    if (failure) return { n, rows: [], error: `Nothing was changed: ${failure.message}.` };
    return { n, rows, error: '' };
  }

  #one<T extends Change['t']>(change: Extract<Change, { t: T }>): number {
    return this.#handlers[change.t as T](change);
  }
}
