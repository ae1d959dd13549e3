// Addresses by which this relay is known, for NIP-42 and NIP-98 checks.

import { isLoopback } from '../lib/loopback.ts';
import { relayHost } from './relay-url.ts';

/** Part of the configuration that determines the relay's addresses. */
interface AddressSettings {
  readonly identity: { readonly urls: readonly string[] };
  readonly io: { readonly host: string };
}

/** Unspecified addresses, which stand for all addresses of a machine. */
const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '[::]']);

/**
 * Set of hosts of this relay: those of `identity.urls`. While that is empty, loopback names and the
 * address it listens on, unless that stands for all addresses. The Host header of a client is not
 * considered, because another relay could send the same header and pass on an event that was signed
 * for it.
 */
export class OwnAddresses {
  /** True if `identity.urls` is set. */
  readonly isConfigured: boolean;
  readonly #hosts: ReadonlySet<string>;

  constructor({ identity, io }: AddressSettings) {
    this.isConfigured = identity.urls.length > 0;
    const listening = relayHost(io.host.includes(':') ? `[${io.host}]` : io.host);
    const hosts = this.isConfigured
      ? identity.urls.map(relayHost)
      : [listening].filter((host) => !UNSPECIFIED.has(host));
    this.#hosts = new Set(hosts);
  }

  /**
   * Returns true if an address, a URL of any scheme or the value of a Host header, is one of this
   * relay.
   */
  has(address: string): boolean {
    const host = relayHost(address);
    if (host === '') return false;
    return this.#hosts.has(host) || (!this.isConfigured && isLoopback(host));
  }

  /** Reason why an address is not one of this relay, as the second half of a sentence. */
  get unlike(): string {
    return this.isConfigured
      ? 'names another relay'
      : 'names an address that this relay does not know to be its own: until its operator sets identity.urls, only loopback names count';
  }
}
