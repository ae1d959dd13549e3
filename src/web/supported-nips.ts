// NIPs that the relay supports with a given configuration, for NIP-11 and for the public page.

import type { Config } from '../config/options.ts';
import { kindsIn } from '../protocol/kind-range.ts';
import { KIND_GIFT_WRAP } from '../protocol/kinds.ts';

/** Supported NIPs, ascending; those that only clients implement are not listed. */
export function supportedNips(config: Config): number[] {
  const nips = [1, 2, 9, 11, 28, 40, 42, 65, 70];
  if (config.identity.announce) nips.push(66);
  if (config.query.eose_hints !== 'off') nips.push(67);
  if (kindsIn(config.auth.private_kinds).includes(KIND_GIFT_WRAP)) nips.push(17, 59);
  if (config.identity.vanish) nips.push(62);
  if (config.membership.enabled) nips.push(43);
  if (config.query.count_enabled) nips.push(45);
  if (config.negentropy.enabled) nips.push(77);
  if (config.nip05.required) nips.push(5);
  if (config.policy.pow_min > 0 || config.policy.pow_min_by_kind.length > 0) nips.push(13);
  const { admin, info } = config;
  if (info.pubkey !== '' || admin.pubkeys.length > 0 || admin.moderators.length > 0) nips.push(86);
  return nips.sort((a, b) => a - b);
}

/** Short titles of the NIPs that wok may support, by number. */
const TITLES: Readonly<Record<number, string>> = {
  1: 'Basic protocol',
  2: 'Follow lists',
  5: 'Addresses (NIP-05)',
  9: 'Deletion',
  11: 'Relay information',
  13: 'Proof of work',
  17: 'Private messages',
  28: 'Public chat',
  40: 'Expiration',
  42: 'Authentication',
  43: 'Members and invites',
  45: 'Counting',
  50: 'Search',
  56: 'Reporting',
  59: 'Gift wraps',
  62: 'Requests to vanish',
  65: 'Relay lists',
  66: 'Relay discovery',
  67: 'EOSE hints',
  70: 'Protected events',
  77: 'Negentropy syncing',
  86: 'Relay management',
  98: 'HTTP authorization',
};

/** Display data of a NIP: its number as in the file names, its title and its address. */
export function nipFacts(nip: number): { number: string; title: string; url: string } {
  const number = String(nip).padStart(2, '0');
  const url = `https://github.com/nostr-protocol/nips/blob/master/${number}.md`;
  return { number, title: TITLES[nip] ?? '', url };
}
