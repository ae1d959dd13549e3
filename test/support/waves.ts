// Random events cut into waves that several connections can publish at the same time, with a result
// that the oracle can predict.

import type { NostrEvent } from '../../src/protocol/event.ts';
import type { Generator } from './generator.ts';
import { addressText } from './oracle.ts';

/**
 * Events that are published together, split into chains. The result of an event depends only on
 * those before it in its own chain. A chain goes through one connection, in order; so the final
 * state is the same for any interleaving of the connections, and equals that of `events` in order.
 */
export interface Wave {
  events: readonly NostrEvent[];
  chains: readonly (readonly NostrEvent[])[];
}

/**
 * Splitter of the events of a generator into waves of at most `size` events.
 *
 * An event that was published before is never in a wave with one that may remove it, because the
 * answer would be undetermined: the ingester still finds it (duplicate), or the writer no longer
 * does (deleted).
 */
export class Waves {
  readonly #generator: Generator;
  readonly #published = new Set<string>();
  /** Addresses of the published events that have one, by id. */
  readonly #addresses = new Map<string, string>();
  #carried: NostrEvent | null = null;

  constructor(generator: Generator) {
    this.#generator = generator;
  }

  next(size: number): Wave {
    const events: NostrEvent[] = [];
    while (events.length < size) {
      const event = this.#carried ?? this.#generator.next();
      this.#carried = null;
      const others = events.filter((one) => one.id !== event.id && this.#meet(one, event));
      const again = this.#published.has(event.id) || events.some(({ id }) => id === event.id);
      if (others.length > 0 && (again || others.some(({ id }) => this.#published.has(id)))) {
        this.#carried = event;
        break;
      }
      events.push(event);
    }
    const wave = { events, chains: this.#chainsOf(events) };
    for (const event of events) {
      this.#published.add(event.id);
      const address = addressText(event);
      if (address !== null) this.#addresses.set(event.id, address);
    }
    return wave;
  }

  #chainsOf(events: readonly NostrEvent[]): NostrEvent[][] {
    let chains: NostrEvent[][] = [];
    for (const event of events) {
      const joined = chains.filter((chain) => chain.some((one) => this.#meet(one, event)));
      const chain = events.filter(
        (one) => one === event || joined.some((list) => list.includes(one)),
      );
      chains = [...chains.filter((one) => !joined.includes(one)), chain];
    }
    return chains;
  }

  /** Returns true if the order of two events matters. */
  #meet(a: NostrEvent, b: NostrEvent): boolean {
    const address = addressText(a);
    const same = a.id === b.id || (address !== null && address === addressText(b));
    return same || this.#names(a, b) || this.#names(b, a);
  }

  /**
   * Returns true if the first event is a deletion of the second, of its address, or of a version of
   * an earlier wave, in whose place the second is stored only after the deletion.
   */
  #names(deletion: NostrEvent, event: NostrEvent): boolean {
    if (deletion.kind !== 5) return false;
    const address = addressText(event);
    return deletion.tags.some(([name, value = '']) => {
      if (name === 'e' && value === event.id) return true;
      if (address === null) return false;
      return name === 'a' ? value === address : this.#addresses.get(value) === address;
    });
  }
}
