import { NetworkSet } from '../lib/network-set.ts';
import type { Channel } from '../mailbox/channel.ts';
import { MessageInbox } from '../mailbox/outbox.ts';
import type { ForIo } from '../messages.ts';

/** What the admin room tells io: whom to keep out. */
export class AdminLink {
  readonly #banned = new NetworkSet();
  readonly #onBanned: () => void;

  /** `onBanned` is called when the banned addresses have changed. */
  constructor(onBanned: () => void) {
    this.#onBanned = onBanned;
  }

  attach(channel: Channel): void {
    const inbox = new MessageInbox<ForIo>();
    channel.receive((batch) => {
      for (const message of inbox.read(batch)) this.#take(message);
    });
  }

  /** Whether an address is banned now. */
  isBanned(ip: string): boolean {
    return !this.#banned.isEmpty && this.#banned.has(ip, Math.floor(Date.now() / 1000));
  }

  #take(message: ForIo): void {
    this.#banned.clear();
    for (const { network, until } of message.networks) this.#banned.put(network, until);
    if (!this.#banned.isEmpty) this.#onBanned();
  }
}
