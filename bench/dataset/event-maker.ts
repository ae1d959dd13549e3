// Generator of the events of a dataset. Each thread has its own.

import { createHash, hash } from 'node:crypto';
import { canonicalJson, idPreimage } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { authorCount, type DatasetParameters, EVENTS_PER_AUTHOR } from './parameters.ts';
import { Random } from './random.ts';
import type { Signer, SigningKey } from './signer.ts';
import { type Draft, type DraftContext, drafts, type Sort } from './sorts.ts';

/** Share of each sort in percent; `social` adds profiles, relay lists and follow lists. */
const MIXES: Readonly<Record<'social' | 'notes', readonly (readonly [Sort, number])[]>> = {
  social: [
    ['note', 19],
    ['reply', 17],
    ['deepReply', 7],
    ['reaction', 31],
    ['repost', 5],
    ['zap', 7],
    ['wrap', 7],
    ['appData', 3],
    ['article', 1.5],
    ['comment', 2.5],
  ],
  notes: [
    ['note', 45],
    ['reply', 40],
    ['deepReply', 15],
  ],
};

/** Index below which every event that would refer to another one is a note. */
const FIRST_REFERENCE = 50;
/** Distance of two hubs; half of all references go to a hub. */
const HUB_DISTANCE = 100;
/** Most events that a reference reaches back. */
const REACH = 20_000;
/** Most ids kept by index: references go to recent events or to hubs, so they repeat. */
const KEPT_IDS = 50_000;

/**
 * Generator that makes each event of a dataset from its index alone, so that any thread can make
 * any part. The target of a reference is found by index as well and made again to learn its id, two
 * levels deep at most: a deep reply refers to a reply, that to a note, and a note to nothing.
 */
export class EventMaker {
  readonly #parameters: DatasetParameters;
  readonly #authors: number;
  readonly #signer: Signer;
  readonly #keys = new Map<number, SigningKey>();
  readonly #ids = new Map<number, string>();

  constructor(parameters: DatasetParameters, signer: Signer) {
    this.#parameters = parameters;
    this.#authors = authorCount(parameters);
    this.#signer = signer;
  }

  /** Returns line `index` of the dataset: canonical JSON without a line break. */
  line(index: number): string {
    return canonicalJson(this.event(index));
  }

  event(index: number): NostrEvent {
    const { key, body } = this.#unsigned(index);
    const id = hash('sha256', idPreimage({ ...body, id: '', sig: '' }));
    return { ...body, id, sig: key.sign(id) };
  }

  /** Returns the sort of an event without making it. */
  sortOf(index: number): Sort {
    if (this.#parameters.profile === 'versions') return 'version';
    return this.#chosenSort(index, this.#random(index));
  }

  #random(index: number): Random {
    return new Random(this.#parameters.seed, index);
  }

  #chosenSort(index: number, random: Random): Sort {
    const { profile } = this.#parameters;
    if (profile === 'versions') return 'version';
    const share = random.next() * 100;
    if (profile === 'social') {
      const slot = index % EVENTS_PER_AUTHOR;
      if (slot === 0) return 'profile';
      if (slot === 8 && share < 50) return 'relayList';
      if (slot === 16 && share < 60) return 'followList';
    }
    let below = 0;
    for (const [sort, percent] of MIXES[profile]) {
      below += percent;
      if (share >= below) continue;
      const refers = sort !== 'wrap' && sort !== 'appData' && sort !== 'article';
      return refers && index < FIRST_REFERENCE ? 'note' : sort;
    }
    return 'note';
  }

  #unsigned(index: number): { key: SigningKey; body: Omit<NostrEvent, 'id' | 'sig'> } {
    const random = this.#random(index);
    const sort = this.#chosenSort(index, random);
    const draft: Draft = drafts[sort](this.#context(index, random));
    const key =
      draft.secret === undefined ? this.#author(draft.author) : this.#signer.key(draft.secret);
    const { events, until, spread } = this.#parameters;
    const due = until - spread + Math.floor(((index + 1) * spread) / events);
    return {
      key,
      body: {
        pubkey: key.pubkey,
        created_at: due - draft.ageSeconds,
        kind: draft.kind,
        tags: draft.tags,
        content: draft.content,
      },
    };
  }

  #context(index: number, random: Random): DraftContext {
    return {
      index,
      random,
      authors: this.#authors,
      pubkey: (author) => this.#author(author).pubkey,
      note: () => this.#reference(index, random, 'note'),
      reply: () => this.#reference(index, random, 'reply'),
      id: (of) => this.#id(of),
      unsigned: (of) => this.#unsigned(of).body,
      json: (of) => this.line(of),
    };
  }

  #author(author: number): SigningKey {
    let key = this.#keys.get(author);
    if (key === undefined) {
      const { profile, seed } = this.#parameters;
      // Each dataset has its own authors, or its events would replace those of another one.
      const text = `wok bench ${profile} author ${seed} ${author}`;
      key = this.#signer.key(createHash('sha256').update(text).digest());
      this.#keys.set(author, key);
    }
    return key;
  }

  /**
   * Returns an earlier event of this sort: recent ones more often, half the time the nearest hub.
   */
  #reference(index: number, random: Random, sort: 'note' | 'reply'): number {
    const distance = Math.floor(Math.min(index, REACH) ** random.next());
    let at = index - distance;
    if (random.chance(0.5)) at -= at % HUB_DISTANCE;
    for (; at >= FIRST_REFERENCE; at--) if (this.sortOf(at) === sort) return at;
    // The first fifty events contain notes, but no replies.
    for (at = FIRST_REFERENCE - 1; this.sortOf(at) !== 'note'; ) at--;
    return at;
  }

  #id(index: number): string {
    let id = this.#ids.get(index);
    if (id === undefined) {
      id = hash('sha256', idPreimage({ ...this.#unsigned(index).body, id: '', sig: '' }));
      if (this.#ids.size >= KEPT_IDS) this.#ids.clear();
      this.#ids.set(index, id);
    }
    return id;
  }
}
