// Link between io and the admin worker. Its state belongs to the main thread.

import type { Channel } from '../channel/channel.ts';
import { MessageInbox, MessageOutbox } from '../channel/outbox.ts';
import type { Config } from '../config/options.ts';
import type { SeenProxy } from '../config/proxy-advice.ts';
import { NetworkSet } from '../lib/network-set.ts';
import type {
  AdminCall,
  ForIo,
  FromIo,
  InfoChanges,
  ManagementRequest,
  PageAnswer,
} from '../messages/admin-io.ts';
import { RejectionReporter } from '../policy/rejection-log.ts';
import { Management } from './management.ts';

/** Callbacks of the admin link. */
interface AdminLinkHandlers {
  /** Called after the banned addresses have changed. */
  banned(): void;
  /** Called after the relay's description has changed. */
  info(changes: InfoChanges): void;
  /** Called with the new public page; null if the admin worker is gone, with its open requests. */
  page(made: PageAnswer | null): void;
}

/** Link to the admin worker: banned addresses, the relay's description, management requests. */
export class AdminLink {
  readonly management: Management;
  readonly rejections: RejectionReporter;
  readonly #banned = new NetworkSet();
  readonly #handlers: AdminLinkHandlers;
  #outbox: MessageOutbox<FromIo> | null = null;

  /** @param networkOf returns the network name under which an address is counted. */
  constructor(config: Config, networkOf: (ip: string) => string, handlers: AdminLinkHandlers) {
    this.#handlers = handlers;
    const { decisions_per_second_max: perSecond } = config.moderation;
    this.rejections = new RejectionReporter(perSecond, nowSeconds);
    this.rejections.to((batch) => this.#outbox?.send(batch));
    const send = (request: ManagementRequest | AdminCall) => {
      this.#outbox?.send(request);
      return this.#outbox !== null;
    };
    this.management = new Management(config, send, networkOf);
  }

  reconfigure(config: Config): void {
    this.management.reconfigure(config);
  }

  /** Requests a new public page with this icon; returns false while there is no admin worker. */
  askForPage(icon: string): boolean {
    this.#outbox?.send({ t: 'page', icon });
    return this.#outbox !== null;
  }

  /** Reports proxies that do not pass on the addresses of their clients. */
  tellProxies(proxies: SeenProxy[]): void {
    this.#outbox?.send({ t: 'proxies', proxies });
  }

  /** Connects the admin worker, at its start or after a restart. */
  attach(channel: Channel): void {
    this.#forget();
    this.#outbox = new MessageOutbox<FromIo>(channel);
    const inbox = new MessageInbox<ForIo>();
    channel.receive((batch) => {
      for (const message of inbox.read(batch)) this.#take(message);
    });
    channel.onClose(() => {
      this.#outbox = null;
      this.#forget();
    });
  }

  #forget(): void {
    this.management.forget();
    this.#handlers.page(null);
  }

  /** Returns true if an address is banned now. */
  isBanned(ip: string): boolean {
    return !this.#banned.isEmpty && this.#banned.has(ip, nowSeconds());
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
        this.management.answer(message);
        break;
      case 'page':
        this.#handlers.page(message.made);
        break;
    }
  }
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
