// Host names by which clients reach a relay without configured addresses. Owned by the admin
// worker.

import { identityAdvice } from '../config/identity-advice.ts';
import type { Config } from '../config/options.ts';
import type { Log } from '../log/log.ts';
import type { SeenAddresses } from '../messages/admin-writer.ts';
import { OwnAddresses } from '../protocol/own-addresses.ts';

/** Maximum number of hosts kept; above it the least frequent one is dropped. */
const HOSTS_MAX = 16;

/** Host by which clients reach the relay, and the number of times. */
export type SeenHost = SeenAddresses['seen'][number];

/**
 * Counts of the hosts by which clients reach the relay while `identity.urls` is empty, shown to the
 * operator as a choice. No host is adopted automatically, because clients may claim any.
 */
export class ReachedBy {
  readonly #context;
  readonly #counts = new Map<string, number>();
  #isReported = false;

  constructor(context: { readonly config: Config; readonly log: Log }) {
    this.#context = context;
  }

  /** Hosts, the most frequent first; none when `identity.urls` is set. */
  get hosts(): SeenHost[] {
    const own = new OwnAddresses(this.#context.config);
    if (own.isConfigured) return [];
    return [...this.#counts]
      .filter(([host]) => !own.has(host))
      .map(([host, count]) => ({ host, count }))
      .sort((a, b) => b.count - a.count);
  }

  /** Advice to the operator and its reason, or null (`identityAdvice`). */
  get advice(): string | null {
    const hosts = this.hosts.map(({ host }) => host);
    return identityAdvice(this.#context.config, hosts);
  }

  /** Adds the counts of an ingester worker; logs the advice the first time. */
  take({ seen }: SeenAddresses): void {
    for (const { host, count } of seen) {
      if (!this.#counts.has(host) && this.#counts.size >= HOSTS_MAX) this.#makePlace();
      this.#counts.set(host, (this.#counts.get(host) ?? 0) + count);
    }
    if (this.#isReported || this.hosts.length === 0) return;
    const { advice } = this;
    if (advice === null) return;
    this.#isReported = true;
    this.#context.log.warn(advice);
  }

  #makePlace(): void {
    let least = '';
    for (const [host, count] of this.#counts) {
      if (least === '' || count < this.#counts.get(least)!) least = host;
    }
    this.#counts.delete(least);
  }
}
