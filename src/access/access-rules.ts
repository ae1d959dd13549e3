// Access rules for writers: allow list, payment, web of trust and NIP-05. `policy/rules/access.ts`
// combines them.

import type { Config } from '../config/options.ts';
import type { KeyListName } from '../messages/key-lists.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { KIND_METADATA } from '../protocol/kinds.ts';
import { KeySet } from './key-set.ts';
import type { AccessLists } from './lists.ts';
import { type Rejection, refuse } from './rejection.ts';
import type { SharedKeys } from './shared-keys.ts';

/**
 * Access rule: one condition that a key can meet in order to write; see `policy/rules/access.ts`.
 */
export interface AccessRule {
  /**
   * Returns null if the key may write, or the rejection. `UNKNOWN`: a lookup is needed, which
   * requires proof that the author asks.
   */
  ask(pubkey: string, now: number): Rejection | typeof UNKNOWN | null;
  /**
   * Starts the lookup for a key that was `UNKNOWN` and is now proven, and rejects for now. `event`
   * is given if it is by that key.
   */
  find?(pubkey: string, event: NostrEvent | null, now: number): Rejection;
}

export const UNKNOWN = Symbol('not known yet');

/** Rejection while the key lists are not there yet. */
export const LOADING = refuse(
  'lists-loading',
  'error: this relay is still loading its access lists; try again in a few seconds',
);

/** Returns the rule for keys that the configuration, its files or an admin allow. */
export function allowlistRule(
  config: Config,
  lists: AccessLists,
  keys: SharedKeys,
): AccessRule | null {
  const { pubkeys_allowed: inline, pubkeys_allowed_files: files } = config.policy;
  if (inline.length === 0 && files.length === 0 && !membersOnly(config)) return null;
  const own = KeySet.of(inline);
  const no = refuse(
    'pubkeys-allowed',
    'restricted: this key is not on the list of keys that may write to this relay',
  );
  return {
    ask(pubkey, now) {
      if (own.has(pubkey) || lists.stance('pubkey', pubkey, now) === 'allow') return null;
      return files.length > 0 ? inSet(keys, 'allowed', pubkey, no) : no;
    },
  };
}

/** Returns true if only members may write (NIP-43). */
export function membersOnly({ membership }: Config): boolean {
  return membership.enabled && membership.restrict_writes;
}

/** Returns the rule for paid admission: keys from a payment service, or allowed by an admin. */
export function admissionRule(
  { admission }: Config,
  lists: AccessLists,
  keys: SharedKeys,
): AccessRule | null {
  if (!asksForPayment(admission)) return null;
  const url = admission.payments_url;
  const no = refuse(
    'admission',
    `restricted: writing to this relay requires payment${url === '' ? '' : `; see ${url}`}`,
  );
  return {
    ask(pubkey, now) {
      if (lists.stance('pubkey', pubkey, now) === 'allow') return null;
      return admission.files.length > 0 ? inSet(keys, 'admitted', pubkey, no) : no;
    },
  };
}

/** Returns true if a key has to be on the list of those who paid. */
export function asksForPayment(admission: Config['admission']): boolean {
  return admission.files.length > 0 || admission.payments_url !== '';
}

/** Returns the web-of-trust rule: keys near enough to the roots in the follow graph. */
export function trustRule({ trust }: Config, keys: SharedKeys): AccessRule | null {
  if (trust.roots.length === 0) return null;
  const no = refuse(
    'web-of-trust',
    'restricted: this key is not in the web of trust of this relay',
  );
  return {
    ask: (pubkey) => (trust.roots.includes(pubkey) ? null : inSet(keys, 'trusted', pubkey, no)),
  };
}

/** Returns the NIP-05 rule: a key without a known result is rejected while it is looked up. */
export function nip05Rule({ nip05 }: Config, keys: SharedKeys): AccessRule | null {
  if (!nip05.required) return null;
  return {
    ask(pubkey, now) {
      const known = keys.verification(pubkey, now);
      if (known === undefined) return UNKNOWN;
      if (!known.verified) return refuse('nip05', `restricted: ${known.why}`);
      // Refreshed in the last tenth of its validity, so that a verified author never has to wait.
      if (known.until - now < nip05.verified_seconds / 10) keys.verify(pubkey, '', now);
      return null;
    },
    find(pubkey, event, now) {
      keys.verify(pubkey, event === null ? '' : addressIn(event), now);
      return refuse(
        'nip05',
        'restricted: your NIP-05 address is being verified; try again in a few seconds',
      );
    },
  };
}

function inSet(
  keys: SharedKeys,
  list: KeyListName,
  pubkey: string,
  no: Rejection,
): Rejection | null {
  const set = keys.sets[list];
  if (set === null) return LOADING;
  return set.has(pubkey) ? null : no;
}

/** Returns the NIP-05 address in a profile; '' for other events. */
function addressIn({ kind, content }: NostrEvent): string {
  return kind === KIND_METADATA ? nip05Of(content) : '';
}

/** Returns the `nip05` of a profile's content, or ''. */
export function nip05Of(content: string): string {
  try {
    const { nip05 } = JSON.parse(content) as { nip05?: unknown };
    return typeof nip05 === 'string' && nip05.length <= 320 ? nip05 : '';
  } catch {
    return '';
  }
}
