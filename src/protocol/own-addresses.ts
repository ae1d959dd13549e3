import { isLoopback } from '../lib/loopback.ts';
import { relayHost } from './relay-url.ts';

/** The part of the configuration that says where the relay is. */
export interface AddressSettings {
  readonly identity: { readonly urls: readonly string[] };
  readonly io: { readonly host: string };
}

/** Addresses that stand for all of a machine's. */
const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '[::]']);

/**
 * The hosts that this relay goes by: those of `identity.urls`. While that is empty, loopback names
 * and the address it listens on, unless that stands for all addresses. What a client says in its
 * Host header has no part in it, because a relay elsewhere could say the same and pass on what was
 * signed for it.
 */
export class OwnAddresses {
  /** True when `identity.urls` says where the relay is. */
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

  /** Whether an address, a URL of any scheme or what a Host header has, is one of this relay. */
  has(address: string): boolean {
    const host = relayHost(address);
    if (host === '') return false;
    return this.#hosts.has(host) || (!this.isConfigured && isLoopback(host));
  }

  /** Why an address is not taken for one of this relay, as the second half of a sentence. */
  get unlike(): string {
    return this.isConfigured
      ? 'names another relay'
      : 'names an address that this relay does not know to be its own: until its operator sets identity.urls, only loopback names count';
  }
}
