// Flood of events that delete or replace others.

import type { Attack } from '../attack/attack.ts';
import { type Author, seconds } from '../attack/author.ts';
import type { Scenario } from './scenario.ts';

const IDS = 1500;
const ADDRESSES = 200;
const NOTES_OF_THE_VANISHED = 10;

/** Source of the events of one connection; they remove or replace only events of its own keys. */
class Remover {
  readonly #attack: Attack;
  readonly #author: Author;
  #passer: Author;
  #n = 0;

  constructor(attack: Attack, author: Author, passer: Author) {
    this.#attack = attack;
    this.#author = author;
    this.#passer = passer;
  }

  next(): string {
    const n = this.#n++;
    const sort = n % 4;
    if (sort === 0) return this.#author.message(this.#deletion());
    if (sort === 1) return this.#vanishing(n);
    // Each event is the newest version and replaces the one before.
    const kind = [0, 3, 10_002, 30_078][(n >> 2) % 4]!;
    const created_at = seconds() - 1_000_000 + n;
    return this.#author.message({ kind, created_at, tags: [['d', 'place']], content: `${n}` });
  }

  #deletion() {
    const { random } = this.#attack;
    const ids = Array.from({ length: IDS }, () => ['e', random.hex(64)]);
    const { pubkey } = this.#author;
    const places = Array.from({ length: ADDRESSES }, (_, n) => ['a', `30023:${pubkey}:${n}`]);
    return { kind: 5, tags: [...ids, ...places] };
  }

  /**
   * Returns some notes of a key, and then its request to vanish; the next call uses another key.
   */
  #vanishing(n: number): string {
    const step = (n >> 2) % (NOTES_OF_THE_VANISHED + 1);
    if (step < NOTES_OF_THE_VANISHED) return this.#passer.message();
    const text = this.#passer.message({ kind: 62, tags: [['relay', 'ALL_RELAYS']] });
    void this.#attack.author().then((author) => {
      this.#passer = author;
    });
    return text;
  }
}

/** Flood of events that make the writer remove others. */
export const removals: Scenario = {
  name: 'removals',
  about:
    'deletions of 1,700 events each, requests to vanish, and replaceable events replaced at full speed',
  from: ['one', 'many'],
  proof: 'messages',
  async flood(attack) {
    const removers = new Map<number, Remover>();
    const connections = [4, 1] as const;
    await attack.each(connections, async (_, number) => {
      const remover = new Remover(attack, await attack.author(), await attack.author());
      removers.set(number, remover);
    });
    await attack.converse(connections, 20, (number) => removers.get(number)!.next());
  },
};
