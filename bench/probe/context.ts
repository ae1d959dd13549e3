import { hash, randomBytes } from 'node:crypto';
import { idPreimage } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Asker, type Message } from '../client/asker.ts';
import type { Target } from '../client/target.ts';
import { loadSigner, type Signer, type SigningKey } from '../dataset/signer.ts';

/** How long a probe waits for one answer. */
export const ANSWER_MILLISECONDS = 5000;

/** What a probe found. `unknown`: it could not be tried. */
export interface Finding {
  readonly does: 'yes' | 'no' | 'unknown';
  /** A few words: what was seen. */
  readonly detail: string;
}

export const yes = (detail: string): Finding => ({ does: 'yes', detail });
export const no = (detail: string): Finding => ({ does: 'no', detail });
export const unknown = (detail: string): Finding => ({ does: 'unknown', detail });

/** The fields of a probe's event that matter to it. */
export interface ProbeEvent {
  readonly kind?: number;
  readonly tags?: string[][];
  readonly content?: string;
  readonly createdAt?: number;
}

/** What the probes of one relay share: connections, and keys that nobody ever uses again. */
export class ProbeContext {
  readonly target: Target;
  readonly key: SigningKey;
  readonly #signer: Signer;
  readonly #askers: Asker[] = [];
  /** What was accepted, to be deleted at the end. */
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

  /** A connection of its own, closed with the context. */
  async connect(): Promise<Asker> {
    const asker = await Asker.open(this.target, ANSWER_MILLISECONDS);
    this.#askers.push(asker);
    return asker;
  }

  /** A signed event of the probe's key, or another one. */
  event(
    {
      kind = 1,
      tags = [],
      content = 'a probe; it deletes itself',
      createdAt = seconds(),
    }: ProbeEvent,
    key: SigningKey = this.key,
  ): NostrEvent {
    const body = { pubkey: key.pubkey, created_at: createdAt, kind, tags, content };
    const id = hash('sha256', idPreimage({ ...body, id: '', sig: '' }));
    return { ...body, id, sig: key.sign(id) };
  }

  /** Publishes an event; returns whether it was accepted, and what the relay said. */
  async publish(asker: Asker, event: NostrEvent): Promise<{ accepted: boolean; reason: string }> {
    const [, , accepted, reason] = await asker.publish(event);
    if (accepted === true && event.kind !== 5) this.#left.push(event);
    return { accepted: accepted === true, reason: String(reason ?? '') };
  }

  /** Deletes what was left on the relay, and closes the connections. */
  async end(): Promise<void> {
    try {
      const own = this.#left.filter(({ pubkey }) => pubkey === this.key.pubkey);
      if (own.length > 0) {
        const asker = await this.connect();
        const tags = own.map(({ id }) => ['e', id]);
        await asker.publish(this.event({ kind: 5, tags, content: 'the probe is over' }));
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

/** The next message with this verb, or undefined when it does not come. */
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
