// Combines the access rules for writers (`access/access-rules.ts`) into write rules of the stages
// `claimed` and `proven`.

import {
  type AccessRule,
  admissionRule,
  allowlistRule,
  membersOnly,
  nip05Rule,
  trustRule,
  UNKNOWN,
} from '../../access/access-rules.ts';
import type { AccessLists } from '../../access/lists.ts';
import { type Rejection, refuse } from '../../access/rejection.ts';
import type { SharedKeys } from '../../access/shared-keys.ts';
import type { Config } from '../../config/options.ts';
import { KindSet } from '../../protocol/kind-set.ts';
import type { WriteAttempt, WriteRule } from '../rule.ts';

const AUTH_REQUIRED = refuse(
  'access',
  'auth-required: only allowed keys may write to this relay; authenticate as one of them',
);

/**
 * Returns the write rules made from the access rules: allow list, paid admission, web of trust,
 * NIP-05 address. Without any of them every client may write. `policy.access_match` tells whether
 * one of them is enough or all have to pass; `policy.access_for` tells which keys they apply to:
 * the author, the keys that have authenticated on the connection, or either.
 *
 * Rules that need only the key run before the signature check. A rule with a lookup runs once more
 * after it, so that a client cannot trigger lookups with events that others are claimed to have
 * written.
 */
export function accessRules(config: Config, lists: AccessLists, keys: SharedKeys): WriteRule[] {
  const { policy } = config;
  const rules = [
    allowlistRule(config, lists, keys),
    admissionRule(config, lists, keys),
    trustRule(config, keys),
    nip05Rule(config, keys),
  ].filter((accessRule) => accessRule !== null);
  if (rules.length === 0) return [];
  const openKinds = new KindSet(policy.open_kinds);
  const pass = policy.access_match === 'any' ? passAny : passAll;

  const { access_for: which } = policy;

  /** Returns null when one of the keys passes, else its rejection. */
  const people = ({ event, authed, now }: WriteAttempt): Answer => {
    if (which === 'author') return pass(rules, event.pubkey, now);
    let refusal: Answer = AUTH_REQUIRED;
    for (const pubkey of which === 'either' ? [...authed, event.pubkey] : authed) {
      const answer = pass(rules, pubkey, now);
      if (answer === null) return null;
      if (refusal !== UNKNOWN) refusal = answer;
    }
    return refusal !== UNKNOWN && authed.size === 0 ? AUTH_REQUIRED : refusal;
  };
  const mayPass = (attempt: WriteAttempt) =>
    openKinds.has(attempt.event.kind) ||
    (policy.open_to_mentions && mentions(attempt, (pubkey) => pass(rules, pubkey, attempt.now)));

  const claimed: WriteRule = {
    name: 'access',
    stage: 'claimed',
    check(attempt) {
      if (mayPass(attempt)) return null;
      const answer = people(attempt);
      return answer === UNKNOWN ? null : answer;
    },
  };
  const finder = rules.find((accessRule) => accessRule.find !== undefined);
  if (finder === undefined) return [claimed];
  /** Starts a lookup for each key that could pass afterwards. */
  const startLookups = ({ event, authed, now }: WriteAttempt): Rejection => {
    let refusal = AUTH_REQUIRED;
    if (which !== 'author') for (const key of authed) refusal = finder.find!(key, null, now);
    return which === 'authed' ? refusal : finder.find!(event.pubkey, event, now);
  };
  const proven: WriteRule = {
    name: 'access',
    stage: 'proven',
    check(attempt) {
      if (mayPass(attempt)) return null;
      const answer = people(attempt);
      return answer === UNKNOWN ? startLookups(attempt) : answer;
    },
  };

  return [claimed, proven];
}

type Answer = Rejection | typeof UNKNOWN | null;

/** Returns null when one rule passes; else `UNKNOWN` when one does not know, else a rejection. */
function passAny(rules: readonly AccessRule[], pubkey: string, now: number): Answer {
  let unknown = false;
  let first: Rejection | null = null;
  for (let i = 0; i < rules.length; i++) {
    const answer = rules[i]!.ask(pubkey, now);
    if (answer === null) return null;
    if (answer === UNKNOWN) unknown = true;
    // A client that could get access by paying is told so, whatever the other rules say.
    else if (first === null || answer.rule === 'admission') first = answer;
  }
  return unknown ? UNKNOWN : first;
}

/** Returns null when all rules pass; else the first rejection, else `UNKNOWN`. */
function passAll(rules: readonly AccessRule[], pubkey: string, now: number): Answer {
  let unknown = false;
  for (let i = 0; i < rules.length; i++) {
    const answer = rules[i]!.ask(pubkey, now);
    if (answer === UNKNOWN) unknown = true;
    else if (answer !== null) return answer;
  }
  return unknown ? UNKNOWN : null;
}

/**
 * Returns true if the event mentions a key that passes: mail to members may come from any author.
 */
function mentions({ event: { tags } }: WriteAttempt, ask: (pubkey: string) => Answer): boolean {
  for (let i = 0; i < tags.length; i++) {
    const [name, pubkey] = tags[i]!;
    if (name === 'p' && pubkey !== undefined && pubkey.length === 64 && ask(pubkey) === null) {
      return true;
    }
  }
  return false;
}

/** Returns true if any access rule for writers is configured. */
export function hasAccessRules(config: Config): boolean {
  const { policy, admission, trust, nip05 } = config;
  return (
    membersOnly(config) ||
    policy.pubkeys_allowed.length > 0 ||
    policy.pubkeys_allowed_files.length > 0 ||
    admission.files.length > 0 ||
    admission.payments_url !== '' ||
    trust.roots.length > 0 ||
    nip05.required
  );
}
