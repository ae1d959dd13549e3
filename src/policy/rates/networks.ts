// Sets of IP networks, and the mapping of addresses to the names that rates are counted under.

import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Set of addresses and CIDR networks, checked by the configuration (format `network`). */
export class Networks {
  readonly #networks: readonly (readonly [Address, number])[];

  constructor(texts: readonly string[]) {
    this.#networks = texts.map((text) =>
      text.includes('/') ? ipaddr.parseCIDR(text) : single(ipaddr.process(text)),
    );
  }

  get isEmpty(): boolean {
    return this.#networks.length === 0;
  }

  /** Returns true if the address is in one of the networks; false for a text that is no address. */
  has(text: string): boolean {
    if (this.isEmpty || !ipaddr.isValid(text)) return false;
    const address = ipaddr.process(text);
    return this.#networks.some(
      ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
    );
  }
}

/** Prefix lengths that identify one household (address) and one network. */
export interface PrefixBits {
  readonly ipv6Address: number;
  readonly ipv4Network: number;
  readonly ipv6Network: number;
}

/**
 * Returns the quota names of an address and of its network: `192.0.2.7` and `192.0.2.0/24`,
 * `2001:db8::/64` and `2001:db8::/48`. A text that is no address is its own name in both.
 */
export function quotaNames(text: string, bits: PrefixBits): { address: string; network: string } {
  if (!ipaddr.isValid(text)) return { address: text, network: text };
  const ip = ipaddr.process(text);
  if (ip.kind() === 'ipv4') {
    return { address: ip.toString(), network: prefix(ip, bits.ipv4Network) };
  }
  return { address: prefix(ip, bits.ipv6Address), network: prefix(ip, bits.ipv6Network) };
}

function prefix(address: Address, bits: number): string {
  const bytes = address.toByteArray();
  const kept = bytes.map((byte, at) => {
    const left = Math.min(Math.max(bits - at * 8, 0), 8);
    return byte & (0xff00 >> left) & 0xff;
  });
  return `${ipaddr.fromByteArray(kept).toString()}/${bits}`;
}

function single(address: Address): readonly [Address, number] {
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}
