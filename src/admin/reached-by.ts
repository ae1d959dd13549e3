import { identityAdvice } from '../config/identity-advice.ts';
import type { SeenAddresses } from '../messages.ts';
import { OwnAddresses } from '../protocol/own-addresses.ts';
import type { Room } from './room.ts';

/** Hosts that are kept; beyond it the one that was seen least makes place. */
const HOSTS_MAX = 16;

/** A host by which clients reach the relay, and how often. */
export type SeenHost = SeenAddresses['seen'][number];

/**
 * Hosts by which clients reach the relay while `identity.urls` is empty: what the operator is shown
 * to choose from. Nothing is taken over by itself, because clients may say what they want.
 */
export class ReachedBy {
  readonly #room: Pick<Room, 'config' | 'log'>;
  readonly #counts = new Map<string, number>();
  #isTold = false;

  constructor(room: Pick<Room, 'config' | 'log'>) {
    this.#room = room;
  }

  /** The hosts, the most frequent first; none when `identity.urls` is set. */
  get hosts(): SeenHost[] {
    const own = new OwnAddresses(this.#room.config);
    if (own.isConfigured) return [];
    return [...this.#counts]
      .filter(([host]) => !own.has(host))
      .map(([host, count]) => ({ host, count }))
      .sort((a, b) => b.count - a.count);
  }

  /** What the operator should set and why, or null (`identityAdvice`). */
  get advice(): string | null {
    const hosts = this.hosts.map(({ host }) => host);
    return identityAdvice(this.#room.config, hosts);
  }

  /** Counts what an ingester lane has seen; the first time the log says what to set. */
  take({ seen }: SeenAddresses): void {
    for (const { host, count } of seen) {
      if (!this.#counts.has(host) && this.#counts.size >= HOSTS_MAX) this.#makePlace();
      this.#counts.set(host, (this.#counts.get(host) ?? 0) + count);
    }
    if (this.#isTold || this.hosts.length === 0) return;
    const { advice } = this;
    if (advice === null) return;
    this.#isTold = true;
    this.#room.log.warn(advice);
  }

  #makePlace(): void {
    let least = '';
    for (const [host, count] of this.#counts) {
      if (least === '' || count < this.#counts.get(least)!) least = host;
    }
    this.#counts.delete(least);
  }
}
