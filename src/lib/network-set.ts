// Set of IP networks with expiry times, and their normal form.

import ipaddr from 'ipaddr.js';

/**
 * Set of addresses and networks, each with an expiry time. A lookup costs one map access for every
 * prefix length that occurs, however many networks there are.
 */
export class NetworkSet {
  /** Expiry times by family and prefix length, then by the bits of the prefix; 0: never. */
  readonly #prefixes = new Map<string, { bits: number; until: Map<string, number> }>();

  /**
   * Adds an entry or replaces its expiry time.
   *
   * @param network an address or a network, normalised or not.
   * @param until seconds since 1970; 0: never.
   */
  put(network: string, until: number): void {
    const { family, bytes, bits } = parse(network);
    const name = `${family}/${bits}`;
    let prefix = this.#prefixes.get(name);
    if (prefix === undefined) {
      prefix = { bits, until: new Map() };
      this.#prefixes.set(name, prefix);
    }
    prefix.until.set(masked(bytes, bits), until);
  }

  drop(network: string): void {
    const { family, bytes, bits } = parse(network);
    const prefix = this.#prefixes.get(`${family}/${bits}`);
    prefix?.until.delete(masked(bytes, bits));
    if (prefix?.until.size === 0) this.#prefixes.delete(`${family}/${bits}`);
  }

  clear(): void {
    this.#prefixes.clear();
  }

  get isEmpty(): boolean {
    return this.#prefixes.size === 0;
  }

  /** Returns true if an address is in the set at `nowSeconds`; false for an invalid address. */
  has(address: string, nowSeconds: number): boolean {
    if (this.#prefixes.size === 0 || !ipaddr.isValid(address)) return false;
    const { family, bytes } = parse(address);
    for (const [name, { bits, until }] of this.#prefixes) {
      if (!name.startsWith(family)) continue;
      const end = until.get(masked(bytes, bits));
      if (end !== undefined && (end === 0 || end > nowSeconds)) return true;
    }
    return false;
  }
}

/** Returns the normal form of an address or network (`10.0.0.0/8`, `2001:db8::1`), or null. */
export function normalNetwork(text: string): string | null {
  try {
    const { bytes, bits } = parse(text);
    const whole = bytes.length * 8;
    const address = ipaddr.fromByteArray(maskedBytes(bytes, bits)).toString();
    return bits === whole ? address : `${address}/${bits}`;
  } catch {
    return null;
  }
}

/** @throws Error for a text that is neither an address nor a network. */
function parse(text: string): { family: string; bytes: number[]; bits: number } {
  const [address, length, ...rest] = text.split('/');
  if (rest.length > 0 || !ipaddr.isValid(address!)) throw new Error(`${text} is no address`);
  const parsed = ipaddr.process(address!);
  const bytes = parsed.toByteArray();
  const bits = length === undefined ? bytes.length * 8 : Number(length);
  if (length !== undefined && (!/^\d{1,3}$/.test(length) || bits > bytes.length * 8)) {
    throw new Error(`${text} is no network`);
  }
  return { family: parsed.kind(), bytes, bits };
}

function maskedBytes(bytes: readonly number[], bits: number): number[] {
  return bytes.map((byte, at) => {
    const kept = Math.min(Math.max(bits - at * 8, 0), 8);
    return byte & (0xff00 >> kept) & 0xff;
  });
}

function masked(bytes: readonly number[], bits: number): string {
  return String.fromCharCode(...maskedBytes(bytes, bits));
}
