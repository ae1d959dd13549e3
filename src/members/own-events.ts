// Replaceable and addressable events that the relay publishes under its own key.

import { dTagOf } from '../protocol/address.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { KIND_DELETION } from '../protocol/kinds.ts';
import type { RelaySigner } from '../protocol/relay-signer.ts';
import { eventOf, type StoredBody } from '../store/body/body.ts';
import * as sql from '../store/database/sql.ts';
import type { MembersContext } from './context.ts';

/**
 * Published events of the relay's own key, replaceable and addressable ones. Keeps no state: they
 * are read from the database for every change.
 */
export class OwnEvents {
  readonly #context: MembersContext;
  readonly #signer: RelaySigner;

  constructor(context: MembersContext, signer: RelaySigner) {
    this.#context = context;
    this.#signer = signer;
  }

  /** Returns the stored events of a kind, newest first. */
  of(kind: number): NostrEvent[] {
    const { db, hasher } = this.#context;
    const { pubkey } = this.#signer;
    // The tail first: an event that the writer indexes meanwhile is in the index afterwards.
    const rows = [
      ...db.prepare(sql.SELECT_TAIL_JSON_OF).pluck().all(kind, pubkey),
      ...db.prepare(sql.SELECT_JSON_OF_TERM).pluck().all(hasher.authorKind(pubkey, kind)),
    ];
    const events = rows
      .map((body) => eventOf(body as StoredBody))
      // Terms are hashes and may collide.
      .filter((event) => event.kind === kind && event.pubkey === pubkey);
    const byId = new Map(events.map((event) => [event.id, event]));
    return [...byId.values()].sort((a, b) => b.created_at - a.created_at);
  }

  /** Publishes an event with these tags as the next version, unless the tags are unchanged. */
  async replace(kind: number, d: string, tags: string[][]): Promise<void> {
    const former = this.of(kind).find((event) => dTagOf(event) === d);
    if (former && JSON.stringify(former.tags) === JSON.stringify(tags)) return;
    // A deletion dated in the same second would keep the new version out.
    const address = `${kind}:${this.#signer.pubkey}:${d}`;
    const withdrawn = this.of(KIND_DELETION).find(({ tags: about }) =>
      about.some(([name, value]) => name === 'a' && value === address),
    );
    const after = Math.max(former?.created_at ?? 0, withdrawn?.created_at ?? 0);
    await this.#publish(kind, tags, after + 1);
  }

  /** Deletes the events of an addressable kind that `isWanted` rejects (NIP-09). */
  async withdraw(kind: number, isWanted: (d: string) => boolean): Promise<void> {
    for (const event of this.of(kind)) {
      const d = dTagOf(event);
      if (isWanted(d)) continue;
      const tags = [
        ['-'],
        ['a', `${kind}:${event.pubkey}:${d}`],
        ['e', event.id],
        ['k', String(kind)],
      ];
      await this.#publish(KIND_DELETION, tags, event.created_at);
    }
  }

  async #publish(kind: number, tags: string[][], notBefore: number): Promise<void> {
    const created_at = Math.max(this.#context.clock.seconds(), notBefore);
    const event = this.#signer.sign({ kind, created_at, tags, content: '' });
    await this.#context.change([{ t: 'publish', json: JSON.stringify(event) }]);
  }
}
