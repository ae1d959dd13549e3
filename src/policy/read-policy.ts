// Authentication and membership rules for reads.

import type { AccessLists } from '../access/lists.ts';
import type { Config } from '../config/options.ts';
import type { Filter } from '../protocol/filter.ts';
import { kindsIn } from '../protocol/kind-range.ts';
import { PrivateKinds, readRefusal } from '../protocol/privacy.ts';
import type { Refusal } from '../protocol/refusal.ts';

/** Read rules compiled from a configuration: applied to REQ, COUNT and every other way to read. */
export class ReadPolicy {
  readonly #required: boolean;
  readonly #membersOnly: boolean;
  readonly #privateKinds: PrivateKinds;
  readonly #lists: AccessLists;

  constructor({ auth, membership }: Config, lists: AccessLists) {
    this.#lists = lists;
    this.#membersOnly = membership.enabled && membership.restrict_reads;
    const { required, dm_inbox: isInbox } = auth;
    this.#required = this.#membersOnly || isInbox || required === 'read' || required === 'all';
    this.#privateKinds = new PrivateKinds(kindsIn(auth.private_kinds));
  }

  /**
   * Returns the reason not to answer these filters to a client authenticated as `authed`, or null.
   */
  check(filters: readonly Filter[], authed: ReadonlySet<string>): Refusal | null {
    if (this.#required && authed.size === 0) {
      return 'auth-required: reading from this relay requires authentication (NIP-42)';
    }
    if (this.#membersOnly && !this.#hasMember(authed)) {
      return 'restricted: only members of this relay may read';
    }
    return readRefusal(filters, authed, this.#privateKinds);
  }

  /** Returns true if filters name a private kind; a connection without a key gets none of these. */
  namesPrivateKinds(filters: readonly Filter[]): boolean {
    return filters.some((filter) => this.#privateKinds.areNamedIn(filter));
  }

  #hasMember(authed: ReadonlySet<string>): boolean {
    const now = Math.floor(Date.now() / 1000);
    for (const pubkey of authed) {
      if (this.#lists.stance('pubkey', pubkey, now) === 'allow') return true;
    }
    return false;
  }
}
