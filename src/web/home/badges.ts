// Badges of the public page: the main access rules in a few words.

import { asksForPayment, membersOnly } from '../../access/access-rules.ts';
import type { Config } from '../../config/options.ts';
import { hasAccessRules } from '../../policy/rules/access.ts';

/** Short text about the relay with its tone. */
interface Badge {
  readonly text: string;
  readonly tone: 'good' | 'warning' | '';
}

/** Badges that apply to a configuration, in the order shown. */
export function badges(config: Config): Badge[] {
  const { auth, membership, policy } = config;
  const all: [boolean, Badge][] = [
    [auth.dm_inbox, { text: 'Inbox for private messages', tone: '' }],
    [!auth.dm_inbox && !hasAccessRules(config), { text: 'Open for writing', tone: 'good' }],
    [membersOnly(config), { text: 'Members only: writing', tone: 'warning' }],
    [asksForPayment(config.admission), { text: 'Paid', tone: 'warning' }],
    [config.trust.roots.length > 0, { text: 'Web of trust', tone: 'warning' }],
    [config.nip05.required, { text: 'NIP-05 address required', tone: 'warning' }],
    [
      !membersOnly(config) &&
        policy.pubkeys_allowed.length + policy.pubkeys_allowed_files.length > 0,
      { text: 'Allowed keys only: writing', tone: 'warning' },
    ],
    [
      membership.enabled && membership.restrict_reads,
      { text: 'Members only: reading', tone: 'warning' },
    ],
    [auth.required !== 'none', { text: 'Authentication required', tone: 'warning' }],
    [readsFreely(config), { text: 'Open for reading', tone: 'good' }],
    [policy.pow_min > 0, { text: `Proof of work: ${policy.pow_min} bits`, tone: 'warning' }],
  ];
  return all.filter(([applies]) => applies).map(([, badge]) => badge);
}

function readsFreely({ auth, membership }: Config): boolean {
  const members = membership.enabled && membership.restrict_reads;
  return !members && !auth.dm_inbox && (auth.required === 'none' || auth.required === 'write');
}
