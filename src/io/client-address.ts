import ipaddr from 'ipaddr.js';
import { Networks } from '../policy/rates/networks.ts';

/**
 * Finds the address of the client behind trusted proxies. `X-Forwarded-For` is read from the right:
 * every proxy appends whom it heard from, so what trusted ones wrote stands there, and what a client
 * made up stands to the left of it.
 */
export class ClientAddress {
  readonly #trusted: Networks;

  /** `trusted`: addresses and CIDR networks, checked by the configuration. */
  constructor(trusted: readonly string[]) {
    this.#trusted = new Networks(trusted);
  }

  /**
   * The client's address, given the socket's peer and the header ('' if there is none; several headers
   * joined by commas). The peer is no address when the socket has been reset meanwhile.
   */
  of(peer: string, forwardedFor: string): string {
    let address = normalised(peer);
    if (address === null) return peer;
    const hops = forwardedFor.split(',');
    while (hops.length > 0 && this.#trusted.has(address)) {
      const hop = normalised(hops.pop()!.trim());
      if (hop === null) break;
      address = hop;
    }
    return address;
  }
}

/** IPv4 addresses inside IPv6 become IPv4 ones; null for what is no address. */
function normalised(text: string): string | null {
  const bare = text
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : null;
}
