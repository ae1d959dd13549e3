import type { Config } from '../config/options.ts';
import { proxyAdvice, type SeenProxy } from '../config/proxy-advice.ts';
import type { ProxyReport } from '../messages.ts';
import type { Room } from './room.ts';

/** Proxies that are kept; beyond it the one that was seen longest ago makes place. */
const PROXIES_MAX = 16;
/** A proxy that was put right is forgotten; one that was not is told of again. */
const FORGET_SECONDS = 3600;

/** A proxy that does not tell the addresses of its clients. */
export interface KnownProxy extends SeenProxy {
  /** When that was seen last, in seconds since 1970. */
  lastAt: number;
}

/**
 * Reverse proxies that do not tell the addresses of their clients, as io has seen them: all clients of
 * such a proxy are without rates and bans, so the operator is told what to write.
 */
export class Proxies {
  readonly #room: Pick<Room, 'config' | 'log' | 'clock'>;
  readonly #known = new Map<string, KnownProxy>();
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(room: Pick<Room, 'config' | 'log' | 'clock'>) {
    this.#room = room;
  }

  /** Those of the last hour, the most frequent first. */
  get seen(): KnownProxy[] {
    const from = this.#room.clock.seconds() - FORGET_SECONDS;
    for (const [proxy, { lastAt }] of this.#known) {
      if (lastAt < from) this.#known.delete(proxy);
    }
    return [...this.#known.values()].sort((a, b) => b.count - a.count);
  }

  /** What the operator should write and why, or null (`proxyAdvice`). */
  get advice(): string | null {
    return proxyAdvice(this.#room.config, this.seen);
  }

  /** Forgets what was seen when other proxies are trusted or another header is read. */
  reconfigure({ io }: Config): void {
    const { io: before } = this.#room.config;
    const isSame =
      io.client_address_header === before.client_address_header &&
      io.trusted_proxies.join() === before.trusted_proxies.join();
    if (!isSame) this.#known.clear();
  }

  /** Takes what io has seen; the log says it the first time, then once an hour. */
  take({ proxies }: ProxyReport): void {
    const now = this.#room.clock.seconds();
    for (const seen of proxies) {
      const count = seen.count + (this.#known.get(seen.proxy)?.count ?? 0);
      this.#known.delete(seen.proxy);
      if (this.#known.size >= PROXIES_MAX) this.#known.delete(this.#known.keys().next().value!);
      this.#known.set(seen.proxy, { ...seen, count, lastAt: now });
    }
    const { advice } = this;
    if (advice === null || now - this.#toldAt < FORGET_SECONDS) return;
    this.#toldAt = now;
    this.#room.log.warn(advice);
  }
}
