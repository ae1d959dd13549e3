import type { Config } from '../config/options.ts';
import { NetworkSet } from '../lib/network-set.ts';
import type { Channel } from '../mailbox/channel.ts';
import { MessageInbox, MessageOutbox } from '../mailbox/outbox.ts';
import type { ForIo, InfoChanges, ManagementRequest } from '../messages.ts';
import { Management } from './management.ts';

/** What the admin link calls. */
export interface AdminLinkHandlers {
  /** The banned addresses have changed. */
  banned(): void;
  /** What the relay says about itself has changed. */
  info(changes: InfoChanges): void;
}

/** What io and the admin room tell each other: whom to keep out, what to say, management requests. */
export class AdminLink {
  readonly management: Management;
  readonly #banned = new NetworkSet();
  readonly #handlers: AdminLinkHandlers;
  #outbox: MessageOutbox<ManagementRequest> | null = null;

  constructor(config: Config, handlers: AdminLinkHandlers) {
    this.#handlers = handlers;
    this.management = new Management(config, (request) => {
      this.#outbox?.send(request);
      return this.#outbox !== null;
    });
  }

  /** The admin room is there, perhaps again. */
  attach(channel: Channel): void {
    this.management.forget();
    this.#outbox = new MessageOutbox<ManagementRequest>(channel);
    const inbox = new MessageInbox<ForIo>();
    channel.receive((batch) => {
      for (const message of inbox.read(batch)) this.#take(message);
    });
    channel.onClose(() => {
      this.#outbox = null;
      this.management.forget();
    });
  }

  /** Whether an address is banned now. */
  isBanned(ip: string): boolean {
    return !this.#banned.isEmpty && this.#banned.has(ip, Math.floor(Date.now() / 1000));
  }

  #take(message: ForIo): void {
    switch (message.t) {
      case 'banned':
        this.#banned.clear();
        for (const { network, until } of message.networks) this.#banned.put(network, until);
        if (!this.#banned.isEmpty) this.#handlers.banned();
        break;
      case 'info':
        this.#handlers.info(message.changes);
        break;
      case 'answer':
        this.management.answer(message.n, message.status, message.body);
        break;
    }
  }
}
