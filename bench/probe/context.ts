// Connections, keys and events of the probes of one relay.

import { hash, randomBytes } from 'node:crypto';
import { idPreimage } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Asker, type Message } from '../client/asker.ts';
import type { Target } from '../client/target.ts';
import { loadSigner, type Signer, type SigningKey } from '../dataset/signer.ts';

/** Time that a probe waits for one answer, in milliseconds. */
export const ANSWER_MILLISECONDS = 5000;

/** Result of a probe. `unknown`: it could not be tried. */
export interface Finding {
  readonly does: 'yes' | 'no' | 'unknown';
  /** Observation in a few words. */
  readonly detail: string;
}

export const yes = (detail: string): Finding => ({ does: 'yes', detail });
export const no = (detail: string): Finding => ({ does: 'no', detail });
export const unknown = (detail: string): Finding => ({ does: 'unknown', detail });

/** Fields of a probe's event; the others have defaults. */
interface ProbeEvent {
  readonly kind?: number;
  readonly tags?: string[][];
  readonly content?: string;
  readonly createdAt?: number;
}

/** Shared state of the probes of one relay: connections, and keys that are used only once. */
export class ProbeContext {
  readonly target: Target;
  readonly key: SigningKey;
  readonly #signer: Signer;
  readonly #askers: Asker[] = [];
  /** Accepted events, to be deleted at the end. */
  readonly #left: NostrEvent[] = [];

  private constructor(target: Target, signer: Signer) {
    this.target = target;
    this.#signer = signer;
    this.key = this.newKey();
  }

  static async open(target: Target): Promise<ProbeContext> {
    return new ProbeContext(target, await loadSigner());
  }

  newKey(): SigningKey {
    return this.#signer.key(Buffer.from(`1${randomBytes(32).toString('hex').slice(1)}`, 'hex'));
  }

  /** Opens a connection that is closed with the context. */
  async connect(): Promise<Asker> {
    const asker = await Asker.open(this.target, ANSWER_MILLISECONDS);
    this.#askers.push(asker);
    return asker;
  }

  /** Returns a signed event, by the probe's key unless another one is given. */
  event(
    {
      kind = 1,
      tags = [],
      content = 'a probe event, which is deleted again',
      createdAt = seconds(),
    }: ProbeEvent,
    key: SigningKey = this.key,
  ): NostrEvent {
    const body = { pubkey: key.pubkey, created_at: createdAt, kind, tags, content };
    const id = hash('sha256', idPreimage({ ...body, id: '', sig: '' }));
    return { ...body, id, sig: key.sign(id) };
  }

  /** Publishes an event; returns whether it was accepted, and the reason the relay gave. */
  async publish(asker: Asker, event: NostrEvent): Promise<{ accepted: boolean; reason: string }> {
    const [, , accepted, reason] = await asker.publish(event);
    if (accepted === true && event.kind !== 5) this.#left.push(event);
    return { accepted: accepted === true, reason: String(reason ?? '') };
  }

  /** Deletes the accepted events of the probe's key, and closes the connections. */
  async end(): Promise<void> {
    try {
      const own = this.#left.filter(({ pubkey }) => pubkey === this.key.pubkey);
      if (own.length > 0) {
        const asker = await this.connect();
        const tags = own.map(({ id }) => ['e', id]);
        await asker.publish(this.event({ kind: 5, tags, content: 'the probe has ended' }));
      }
    } catch {
      // A relay that does not take deletions keeps a few small events.
    }
    await Promise.all(this.#askers.map((asker) => asker.close()));
  }
}

export function seconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** Returns the next message of one of these types, or undefined when none comes in time. */
export async function messageOf(
  asker: Asker,
  verbs: readonly string[],
  second?: string,
  milliseconds = ANSWER_MILLISECONDS,
): Promise<Message | undefined> {
  const fits = ([verb, id]: Message) =>
    verbs.includes(verb) && (second === undefined || id === second);
  try {
    return await asker.next(fits, verbs.join(' or '), milliseconds);
  } catch {
    return undefined;
  }
}
