// Filters of the live subscriptions of a thread, and the subscriptions that each item must reach.

import type { Dataset } from '../dataset/dataset.ts';
import type { Random } from '../dataset/random.ts';
import type { Interest, SubscribeJob } from './job.ts';

/** Condition of a filter beside `kinds`; undefined: none. */
interface Wish {
  readonly key: 'authors' | '#p' | '#t';
  readonly values: readonly string[];
}

/**
 * Live filters of a thread, and which items each must get. The filters are drawn from the values of
 * the items, popular values more often; the subscriptions of an event are found by looking up its
 * author and tags, independently of the code under test.
 */
export class Audience {
  readonly #dataset: Dataset;
  readonly #lines: Uint32Array;
  readonly #wishes: readonly (Wish | undefined)[];
  /** Subscriptions by `key value`; under the empty key those without a condition. */
  readonly #wanted = new Map<string, number[]>();

  constructor(dataset: Dataset, lines: Uint32Array, job: SubscribeJob, random: Random) {
    this.#dataset = dataset;
    this.#lines = lines;
    const draw = new WishDraw(dataset, lines, random);
    this.#wishes = Array.from({ length: job.subscriptions }, () => {
      let weight = random.next();
      const chosen = job.interests.find((entry) => {
        weight -= entry.weight;
        return weight < 0;
      });
      return draw.wish((chosen ?? job.interests[0]!).interest);
    });
    this.#wishes.forEach((wish, subscription) => {
      const terms = wish?.values.map((value) => `${wish.key} ${value}`) ?? [''];
      for (const term of terms) {
        const list = this.#wanted.get(term);
        if (list === undefined) this.#wanted.set(term, [subscription]);
        else list.push(subscription);
      }
    });
  }

  /** Returns the filter of a subscription as JSON. It asks for one stored event at most. */
  filter(subscription: number): string {
    const wish = this.#wishes[subscription];
    const narrow = wish === undefined ? {} : { [wish.key]: wish.values };
    return JSON.stringify({ kinds: [1], ...narrow, limit: 1 });
  }

  /** Returns the subscriptions that must get an item. */
  of(item: number): Set<number> {
    const { pubkey, tags } = this.#dataset.event(this.#lines[item]!);
    const who = new Set<number>(this.#wanted.get(''));
    const terms = [`authors ${pubkey}`, ...tags.map(([name, value]) => `#${name} ${value}`)];
    for (const term of terms) for (const one of this.#wanted.get(term) ?? []) who.add(one);
    return who;
  }
}

/** Generator of conditions from the authors and tags of the items. */
class WishDraw {
  readonly #dataset: Dataset;
  readonly #lines: Uint32Array;
  readonly #random: Random;

  constructor(dataset: Dataset, lines: Uint32Array, random: Random) {
    this.#dataset = dataset;
    this.#lines = lines;
    this.#random = random;
  }

  wish(interest: Interest): Wish | undefined {
    switch (interest.of) {
      case 'all':
        return undefined;
      case 'authors':
        return { key: 'authors', values: this.#authors(interest.count) };
      case 'mentions':
        return { key: '#p', values: [this.#tagValue('p')] };
      case 'hashtag':
        return { key: '#t', values: [this.#tagValue('t')] };
    }
  }

  #line(): number {
    return this.#lines[this.#random.below(this.#lines.length)]!;
  }

  #authors(count: number): string[] {
    const authors = new Set<string>();
    // There may be fewer authors than wanted.
    for (let tries = 0; authors.size < count && tries < count * 4; tries++) {
      authors.add(this.#dataset.pubkey(this.#line()));
    }
    return [...authors];
  }

  #tagValue(name: string): string {
    for (let tries = 0; tries < 1000; tries++) {
      const found = this.#dataset.event(this.#line()).tags.filter((tag) => tag[0] === name);
      if (found.length > 0) return this.#random.pick(found)[1]!;
    }
    return this.#dataset.pubkey(this.#line());
  }
}
