import ipaddr from 'ipaddr.js';
import type { ProxyFault } from '../config/proxy-advice.ts';
import { isLoopback } from '../lib/loopback.ts';
import { Networks } from '../policy/rates/networks.ts';

/** Addresses that are remembered, and how long a text may be to be remembered. */
const SEEN_MAX = 4096;
const TEXT_MAX = 64;

interface Hop {
  /** As it is written everywhere in wok. */
  readonly address: string;
  readonly isTrusted: boolean;
}

/** Where a request came from, as far as socket and header tell. */
export interface Traced {
  /** The client's address; not an address if the socket was reset meanwhile. */
  readonly ip: string;
  /**
   * Why `ip` would be that of a proxy if the peer is one; null where the peer told the client's address
   * or cannot be a proxy of the relay.
   */
  readonly fault: ProxyFault | null;
}

/**
 * Finds the address of the client behind trusted proxies. `X-Forwarded-For` is read from the right:
 * every proxy appends whom it heard from, so what trusted ones wrote stands there, and what a client
 * made up stands to the left of it.
 */
export class ClientAddress {
  readonly #trusted: Networks;
  /** Addresses that were seen lately, as they were written: taking one apart costs 10 µs. */
  readonly #seen = new Map<string, Hop | null>();

  /** `trusted`: addresses and CIDR networks, checked by the configuration. */
  constructor(trusted: readonly string[]) {
    this.#trusted = new Networks(trusted);
  }

  /**
   * The client's address, given the socket's peer and the header ('' if there is none; several headers
   * joined by commas). The peer is no address when the socket has been reset meanwhile.
   */
  of(peer: string, forwardedFor: string): Traced {
    const first = this.#hop(peer);
    if (first === null) return { ip: peer, fault: null };
    if (!first.isTrusted) {
      return { ip: first.address, fault: isLoopback(first.address) ? 'untrusted' : null };
    }
    if (forwardedFor === '') return { ip: first.address, fault: 'missing' };
    const hops = forwardedFor.split(',');
    let hop = first;
    let told = false;
    while (hops.length > 0 && hop.isTrusted) {
      const next = this.#hop(hops.pop()!.trim());
      if (next === null) break;
      hop = next;
      told = true;
    }
    return { ip: hop.address, fault: told ? null : 'malformed' };
  }

  /** Whether a peer is a proxy that is believed. */
  trusts(peer: string): boolean {
    return this.#hop(peer)?.isTrusted ?? false;
  }

  #hop(text: string): Hop | null {
    let hop = this.#seen.get(text);
    if (hop === undefined) {
      const address = normalised(text);
      hop = address === null ? null : { address, isTrusted: this.#trusted.has(address) };
      if (this.#seen.size >= SEEN_MAX) this.#seen.clear();
      if (text.length <= TEXT_MAX) this.#seen.set(text, hop);
    }
    return hop;
  }
}

/** IPv4 addresses inside IPv6 become IPv4 ones; null for what is no address. */
function normalised(text: string): string | null {
  const bare = text
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : null;
}
