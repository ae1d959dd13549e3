// Client addresses of requests that come through reverse proxies. Used by the main thread.

import ipaddr from 'ipaddr.js';
import type { ProxyFault } from '../config/proxy-advice.ts';
import { isLoopback } from '../lib/loopback.ts';
import { NetworkSet } from '../lib/network-set.ts';

/** Maximum of cached addresses, and maximum length of a cached text. */
const SEEN_MAX = 4096;
const TEXT_MAX = 64;

interface Hop {
  /** Address in the normal form that all of wok uses. */
  readonly address: string;
  readonly isTrusted: boolean;
}

/** Origin of a request, according to its socket and header. */
interface Traced {
  /** Client address; not an address if the socket was reset meanwhile. */
  readonly ip: string;
  /**
   * Reason why `ip` may be the address of a proxy instead of a client; null if the peer passed on
   * the client's address or cannot be a proxy of the relay.
   */
  readonly fault: ProxyFault | null;
}

/**
 * Resolver of client addresses through trusted proxies. `X-Forwarded-For` is read from the right:
 * every proxy appends the address that it heard from, so the entries of trusted proxies stand
 * there, and forged entries of a client stand to the left of them.
 */
export class ClientAddress {
  readonly #trusted: NetworkSet;
  /** Recently seen addresses, as written: parsing one costs 10 µs. */
  readonly #seen = new Map<string, Hop | null>();

  /** @param trusted addresses and CIDR networks, checked by the configuration. */
  constructor(trusted: readonly string[]) {
    this.#trusted = new NetworkSet(trusted);
  }

  /**
   * Returns the client address, from the socket's peer and the header ('' if there is none; several
   * headers joined by commas). The peer is no address if the socket has been reset meanwhile.
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
    while (hop.isTrusted) {
      const text = hops.pop();
      const next = text === undefined ? null : this.#hop(text.trim());
      if (next === null) break;
      hop = next;
      told = true;
    }
    return { ip: hop.address, fault: told ? null : 'malformed' };
  }

  /** Returns true if a peer is a trusted proxy. */
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

/** Converts IPv4 addresses inside IPv6 to IPv4; returns null for a text that is no address. */
function normalised(text: string): string | null {
  const bare = text
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : null;
}
