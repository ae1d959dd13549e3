import { kindsIn } from '../config/kind-range.ts';
import type { Config } from '../config/options.ts';
import type { Filter } from '../protocol/filter.ts';
import { PrivateKinds, readRefusal } from '../protocol/privacy.ts';
import type { Refusal } from '../protocol/refusal.ts';

/** What a configuration demands of who reads: asked for REQ and COUNT, and for whatever else reads. */
export class ReadPolicy {
  readonly #required: boolean;
  readonly #privateKinds: PrivateKinds;

  constructor({ auth }: Config) {
    this.#required = auth.required === 'read' || auth.required === 'all';
    this.#privateKinds = new PrivateKinds(kindsIn(auth.private_kinds));
  }

  /** Why these filters are not answered to who has authenticated as `authed`, or null. */
  check(filters: readonly Filter[], authed: ReadonlySet<string>): Refusal | null {
    if (this.#required && authed.size === 0) {
      return 'auth-required: this relay answers those whom it knows';
    }
    return readRefusal(filters, authed, this.#privateKinds);
  }
}
