// Misconfigured reverse proxies, as reported by io. Owned by the admin worker.

import type { Config } from '../config/options.ts';
import { proxyAdvice, type SeenProxy } from '../config/proxy-advice.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../log/log.ts';
import type { ProxyReport } from '../messages/admin-io.ts';

/** Maximum number of proxies kept; above it the one seen longest ago is dropped. */
const PROXIES_MAX = 16;
/** Time after which a proxy is forgotten, and interval of the log line about those that remain. */
const FORGET_SECONDS = 3600;

/** Reverse proxy that does not pass on the addresses of its clients. */
export interface KnownProxy extends SeenProxy {
  /** Time of the last report, in seconds since 1970. */
  lastAt: number;
}

/**
 * Reverse proxies that do not pass on the addresses of their clients, as seen by io. Rate limits
 * and bans cannot apply to clients of such a proxy, so the operator is told what to configure.
 */
export class Proxies {
  readonly #context;
  readonly #known = new Map<string, KnownProxy>();
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(context: { readonly config: Config; readonly log: Log; readonly clock: Clock }) {
    this.#context = context;
  }

  /** Proxies of the last hour, the most frequent first. */
  get seen(): KnownProxy[] {
    const from = this.#context.clock.seconds() - FORGET_SECONDS;
    for (const [proxy, { lastAt }] of this.#known) {
      if (lastAt < from) this.#known.delete(proxy);
    }
    return [...this.#known.values()].sort((a, b) => b.count - a.count);
  }

  /** Advice to the operator and its reason, or null (`proxyAdvice`). */
  get advice(): string | null {
    return proxyAdvice(this.#context.config, this.seen);
  }

  /** Forgets all proxies when the trusted proxies or the address header change. */
  reconfigure({ io }: Config): void {
    const { io: before } = this.#context.config;
    const isSame =
      io.client_address_header === before.client_address_header &&
      io.trusted_proxies.join() === before.trusted_proxies.join();
    if (!isSame) this.#known.clear();
  }

  /** Counts a report of io; logs the advice the first time, then once an hour. */
  take({ proxies }: Pick<ProxyReport, 'proxies'>): void {
    const now = this.#context.clock.seconds();
    for (const seen of proxies) {
      const count = seen.count + (this.#known.get(seen.proxy)?.count ?? 0);
      this.#known.delete(seen.proxy);
      if (this.#known.size >= PROXIES_MAX) this.#known.delete(this.#known.keys().next().value!);
      this.#known.set(seen.proxy, { ...seen, count, lastAt: now });
    }
    const { advice } = this;
    if (advice === null || now - this.#reportedAt < FORGET_SECONDS) return;
    this.#reportedAt = now;
    this.#context.log.warn(advice);
  }
}
