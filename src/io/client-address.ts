import ipaddr from 'ipaddr.js';

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

/**
 * Finds the address of the client behind trusted proxies. `X-Forwarded-For` is read from the right:
 * every proxy appends whom it heard from, so what trusted ones wrote stands there, and what a client
 * made up stands to the left of it.
 */
export class ClientAddress {
  readonly #trusted: Network[];

  /** `trusted`: addresses and CIDR networks, checked by the configuration. */
  constructor(trusted: readonly string[]) {
    this.#trusted = trusted.map((text) =>
      text.includes('/') ? ipaddr.parseCIDR(text) : single(ipaddr.process(text)),
    );
  }

  /**
   * The client's address, given the socket's peer and the header ('' if there is none; several headers
   * joined by commas). The peer is no address when the socket has been reset meanwhile.
   */
  of(peer: string, forwardedFor: string): string {
    let address = normalised(peer);
    if (address === null) return peer;
    const hops = forwardedFor.split(',');
    while (hops.length > 0 && this.#isTrusted(address)) {
      const hop = normalised(hops.pop()!.trim());
      if (hop === null) break;
      address = hop;
    }
    return address;
  }

  #isTrusted(text: string): boolean {
    const address = ipaddr.process(text);
    return this.#trusted.some(
      ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
    );
  }
}

/** IPv4 addresses inside IPv6 become IPv4 ones; null for what is no address. */
function normalised(text: string): string | null {
  const bare = text
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : null;
}

function single(address: ipaddr.IPv4 | ipaddr.IPv6): Network {
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}
