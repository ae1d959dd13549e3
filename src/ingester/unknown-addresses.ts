// Counters of hosts by which clients reach the relay although it does not know them as its own.
// Owned by one ingester worker, reported to the admin worker.

import type { Config } from '../config/options.ts';
import type { SeenAddresses } from '../messages/admin-writer.ts';
import { OwnAddresses } from '../protocol/own-addresses.ts';
import { relayHost } from '../protocol/relay-url.ts';

/** Maximum of hosts that are counted between two reports, because clients may invent any number. */
const ADDRESSES_MAX = 16;
/** Longest host name. */
const HOST_LENGTH_MAX = 253;
const REPORT_MILLISECONDS = 1_000;

/**
 * Counter of hosts by which clients reach the relay and that it does not know as its own. It
 * reports them to the admin worker, which tells the operator the value for `identity.urls`. Counts
 * nothing if that option is set.
 */
export class UnknownAddresses {
  #own: OwnAddresses;
  readonly #counts = new Map<string, number>();
  #send: ((seen: SeenAddresses) => void) | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(config: Config) {
    this.#own = new OwnAddresses(config);
  }

  reconfigure(config: Config): void {
    this.#own = new OwnAddresses(config);
    if (this.#own.isConfigured) this.#counts.clear();
  }

  attach(send: (seen: SeenAddresses) => void): void {
    this.#send = send;
  }

  /** Counts an address: a Host header, or the relay tag of an authentication. */
  note(address: string): void {
    if (this.#own.isConfigured || address === '') return;
    const host = relayHost(address);
    if (host === '' || host.length > HOST_LENGTH_MAX || this.#own.has(address)) return;
    const count = this.#counts.get(host);
    if (count === undefined && this.#counts.size >= ADDRESSES_MAX) return;
    this.#counts.set(host, (count ?? 0) + 1);
    this.#timer ??= setTimeout(() => this.#report(), REPORT_MILLISECONDS).unref();
  }

  #report(): void {
    this.#timer = null;
    if (this.#send === null || this.#counts.size === 0) return;
    const seen = [...this.#counts].map(([host, count]) => ({ host, count }));
    this.#counts.clear();
    this.#send({ t: 'addresses', seen });
  }
}
