// Compiles the configuration into the ordered write rules that run in an ingester worker.

import type { AccessLists } from '../access/lists.ts';
import type { Rejection } from '../access/rejection.ts';
import type { SharedKeys } from '../access/shared-keys.ts';
import type { Config } from '../config/options.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { KIND_JOIN, KIND_LEAVE, KIND_VANISH } from '../protocol/kinds.ts';
import { relayAddress } from '../protocol/relay-url.ts';
import { vanishesFrom } from '../protocol/vanish.ts';
import type { Rates } from './rates/rates.ts';
import { firstRefusal, type WriteAttempt, type WriteRule } from './rule.ts';
import { accessRules, hasAccessRules } from './rules/access.ts';
import { authRule, protectedRule } from './rules/auth.ts';
import { authorRateRules } from './rules/author-rate.ts';
import { dmInboxRule } from './rules/dm-inbox.ts';
import { kindsRule } from './rules/kinds.ts';
import { contentPatternsRule, tagPatternsRule } from './rules/patterns.ts';
import { powRule } from './rules/pow.ts';
import { deniedKeysRule } from './rules/pubkeys.ts';
import { hashtagsRule, mentionsRule, requiredTagsRule } from './rules/tags.ts';

/**
 * Write rules compiled from a configuration: only the rules that are on, in the order of their
 * cost. An ingester worker makes a new one when the configuration changes.
 */
export class WritePolicy {
  readonly #lists: AccessLists;
  readonly #claimed: readonly WriteRule[];
  readonly #proven: readonly WriteRule[];
  /** Addresses of this relay; null: requests to vanish are not carried out. */
  readonly #vanishAddresses: readonly string[] | null;
  readonly #hasMembers: boolean;

  /** Takes `lists` and `keys`, which may change at any time. */
  constructor(config: Config, lists: AccessLists, keys: SharedKeys, rates: Rates) {
    this.#lists = lists;
    this.#hasMembers = config.membership.enabled;
    const { vanish, urls } = config.identity;
    this.#vanishAddresses = vanish ? urls.map(relayAddress) : null;
    const rules = [
      authRule(config),
      protectedRule,
      dmInboxRule(config),
      kindsRule(config, lists),
      deniedKeysRule(config, keys),
      ...accessRules(config, lists, keys),
      hashtagsRule(config),
      mentionsRule(config),
      requiredTagsRule(config),
      powRule(config),
      tagPatternsRule(config),
      contentPatternsRule(config),
      ...authorRateRules(rates),
    ].filter((rule) => rule !== null);
    this.#claimed = rules.filter(({ stage }) => stage === 'claimed');
    this.#proven = rules.filter(({ stage }) => stage === 'proven');
  }

  /** Runs the rules that come before hash and signature. */
  claimed(attempt: WriteAttempt): Rejection | null {
    if (this.#isForRelay(attempt.event)) return null;
    return (
      this.#lists.rejectionOf(attempt.event, attempt.now) ?? firstRefusal(this.#claimed, attempt)
    );
  }

  /** Runs the rules for an event that is signed by its author and new. */
  proven(attempt: WriteAttempt): Rejection | null {
    if (this.#isForRelay(attempt.event)) return null;
    return firstRefusal(this.#proven, attempt);
  }

  /**
   * Returns true for requests to vanish from this relay (NIP-62) and to join or leave as a member
   * (NIP-43), which bypass all rules.
   */
  #isForRelay(event: NostrEvent): boolean {
    if (this.#hasMembers && (event.kind === KIND_JOIN || event.kind === KIND_LEAVE)) return true;
    const addresses = this.#vanishAddresses;
    return event.kind === KIND_VANISH && addresses !== null && vanishesFrom(event, addresses);
  }
}

/** Returns true if writing requires more than a well-formed event (NIP-11 `restricted_writes`). */
export function restrictsWrites(config: Config): boolean {
  const { policy, auth } = config;
  return (
    hasAccessRules(config) ||
    auth.dm_inbox ||
    auth.required === 'write' ||
    auth.required === 'all' ||
    policy.pow_min > 0 ||
    policy.kinds_allowed.length > 0 ||
    policy.tags_required.length > 0
  );
}
