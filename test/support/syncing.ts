// Client side of negentropy sessions (NIP-77) for tests.

import { nip77 } from 'nostr-tools';
import type { NostrEvent } from '../../src/protocol/event.ts';
import type { Client, Message } from './client.ts';

let sessions = 0;

/** Client side of a negentropy session (nostr-tools), with these events of its own. */
export class Syncing {
  readonly id = `sync-${++sessions}`;
  readonly have = new Set<string>();
  readonly need = new Set<string>();
  readonly #client: Client;
  readonly #negentropy: nip77.Negentropy;

  constructor(client: Client, own: readonly NostrEvent[], frameBytes = 60_000) {
    this.#client = client;
    const storage = new nip77.NegentropyStorageVector();
    for (const { created_at, id } of own) storage.insert(created_at, id);
    storage.seal();
    this.#negentropy = new nip77.Negentropy(storage, frameBytes);
  }

  /** Returns the first message of the session, as hex. */
  first(): string {
    return this.#negentropy.initiate() as string;
  }

  /** Opens the session; returns the answer. */
  open(filter: object): Promise<Message> {
    this.#client.send(['NEG-OPEN', this.id, filter, this.first()]);
    return this.answer();
  }

  answer(): Promise<Message> {
    return this.#client.next(([verb, of]) => verb.startsWith('NEG-') && of === this.id, this.id);
  }

  /** Takes an answer; returns the next message, or null when nothing is left to ask. */
  take(answer: Message): string | null {
    if (answer[0] !== 'NEG-MSG') throw new Error(`no NEG-MSG but ${JSON.stringify(answer)}`);
    return this.#negentropy.reconcile(
      answer[2] as string,
      (id) => this.have.add(id),
      (id) => this.need.add(id),
    );
  }

  /** Goes on after an answer to the end; returns the number of answers. */
  async finish(answer: Message): Promise<number> {
    for (let rounds = 1; ; rounds++) {
      const next = this.take(answer);
      if (next === null) {
        this.#client.send(['NEG-CLOSE', this.id]);
        return rounds;
      }
      this.#client.send(['NEG-MSG', this.id, next]);
      answer = await this.answer();
    }
  }
}

/** Returns the ids of the relay that a client without events needs, sorted. */
export async function idsByNeg(client: Client, filter: object): Promise<string[]> {
  const syncing = new Syncing(client, []);
  await syncing.finish(await syncing.open(filter));
  return [...syncing.need].sort();
}
