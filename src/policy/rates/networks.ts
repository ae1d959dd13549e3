// Mapping of client addresses to the names that rates are counted under.

import ipaddr from 'ipaddr.js';
import { networkOf } from '../../lib/network-set.ts';

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
    return { address: ip.toString(), network: networkOf(ip, bits.ipv4Network) };
  }
  return { address: networkOf(ip, bits.ipv6Address), network: networkOf(ip, bits.ipv6Network) };
}
