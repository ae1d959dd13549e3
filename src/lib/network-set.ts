// Set of IP networks, and the normal form of networks.

import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Length of the prefix of IPv4 inside IPv6, ::ffff:0:0/96. */
const MAPPED_BITS = 96;

/**
 * Set of addresses and networks, which may have expiry times. A lookup costs one map access for
 * every prefix length that occurs, however many networks there are.
 */
export class NetworkSet {
  /** Expiry times by family and prefix length, then by the bits of the prefix; 0: never. */
  readonly #prefixes = new Map<string, { bits: number; until: Map<string, number> }>();

  /** @param networks entries that never expire. @throws Error for a text that is no network. */
  constructor(networks: Iterable<string> = []) {
    for (const network of networks) this.put(network, 0);
  }

  /**
   * Adds an entry or replaces its expiry time.
   *
   * @param network an address or a network, normalised or not.
   * @param until seconds since 1970; 0: never.
   * @throws Error for a text that is no network.
   */
  put(network: string, until: number): void {
    const { address, bits } = parse(network);
    const name = `${address.kind()}/${bits}`;
    let prefix = this.#prefixes.get(name);
    if (prefix === undefined) {
      prefix = { bits, until: new Map() };
      this.#prefixes.set(name, prefix);
    }
    prefix.until.set(masked(address, bits), until);
  }

  clear(): void {
    this.#prefixes.clear();
  }

  get isEmpty(): boolean {
    return this.#prefixes.size === 0;
  }

  /**
   * Returns true if an address is in the set; false for an invalid address.
   *
   * @param nowSeconds time since 1970; matters to entries with an expiry time only.
   */
  has(address: string, nowSeconds = 0): boolean {
    if (this.#prefixes.size === 0 || !ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    for (const [name, { bits, until }] of this.#prefixes) {
      if (!name.startsWith(parsed.kind())) continue;
      const end = until.get(masked(parsed, bits));
      if (end !== undefined && (end === 0 || end > nowSeconds)) return true;
    }
    return false;
  }
}

/** Returns the normal form of an address or network (`10.0.0.0/8`, `2001:db8::1`), or null. */
export function normalNetwork(text: string): string | null {
  try {
    const { address, bits } = parse(text);
    return bits === lengthOf(address) ? address.toString() : networkOf(address, bits);
  } catch {
    return null;
  }
}

/** Returns the network of so many bits that an address is in: `192.0.2.0/24`. */
export function networkOf(address: Address, bits: number): string {
  return `${ipaddr.fromByteArray(maskedBytes(address, bits)).toString()}/${bits}`;
}

/**
 * Parses an address or a network; IPv4 inside IPv6 becomes IPv4.
 *
 * @throws Error for a text that is neither.
 */
function parse(text: string): { address: Address; bits: number } {
  const network = text.includes('/') ? ipaddr.parseCIDR(text) : null;
  const address = network?.[0] ?? ipaddr.parse(text);
  const bits = network?.[1] ?? lengthOf(address);
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= MAPPED_BITS) {
    return { address: address.toIPv4Address(), bits: bits - MAPPED_BITS };
  }
  return { address, bits };
}

function lengthOf(address: Address): number {
  return address.kind() === 'ipv4' ? 32 : 128;
}

function maskedBytes(address: Address, bits: number): number[] {
  return address.toByteArray().map((byte, at) => {
    const kept = Math.min(Math.max(bits - at * 8, 0), 8);
    return byte & (0xff00 >> kept) & 0xff;
  });
}

function masked(address: Address, bits: number): string {
  return String.fromCharCode(...maskedBytes(address, bits));
}
