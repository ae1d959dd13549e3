// Reference index over a dataset, to know how many events a filter must return.

import { CANONICAL_PUBKEY_START } from '../../src/protocol/canonical.ts';
import { idKey } from '../client/messages.ts';
import type { Dataset } from '../dataset/dataset.ts';
import type { Filter } from '../load/matcher.ts';

const TAGS = Buffer.from(',"tags":');
const CONTENT = Buffer.from(',"content":');
const NO_LINES: readonly number[] = [];

/**
 * Index that counts the events of a dataset that match a filter, to compare a relay's answers with:
 * plain lists, read from the file, independent of any relay. It relies on what the stored dataset
 * promises: no event replaces or deletes another one, and none expires.
 */
export class Oracle {
  readonly #dataset: Dataset;
  readonly #kinds: Uint16Array;
  readonly #createdAt: Uint32Array;
  readonly #pubkeys: Float64Array;
  readonly #linesOfPubkey = new Map<number, number[]>();
  readonly #linesOfKind = new Map<number, number[]>();
  readonly #linesOfId = new Map<number, number>();
  readonly #linesOfTag: ReadonlyMap<string, number[]>;

  #all: number[] | undefined;
  readonly #byTime = (left: number, right: number): number =>
    this.#createdAt[right]! - this.#createdAt[left]!;

  /** @param terms tag values that filters will ask for, each like `#e value`. */
  constructor(dataset: Dataset, terms: Iterable<string>) {
    this.#dataset = dataset;
    this.#kinds = new Uint16Array(dataset.count);
    this.#createdAt = new Uint32Array(dataset.count);
    this.#pubkeys = new Float64Array(dataset.count);
    this.#linesOfTag = new Map(Array.from(terms, (term) => [term, []]));
    const { bytes } = dataset;
    for (let line = 0; line < dataset.count; line++) {
      const start = dataset.start(line);
      const pubkey = idKey(bytes, start + CANONICAL_PUBKEY_START);
      const kind = dataset.kind(line);
      this.#pubkeys[line] = pubkey;
      this.#createdAt[line] = dataset.createdAt(line);
      this.#kinds[line] = kind;
      append(this.#linesOfPubkey, pubkey, line);
      append(this.#linesOfKind, kind, line);
      this.#linesOfId.set(idKeyOf(dataset.id(line)), line);
      if (this.#linesOfTag.size > 0) this.#readTags(line);
    }
    // Newest first, so that a walk through the pages meets them in order.
    for (const lines of this.#linesOfKind.values()) lines.sort(this.#byTime);
  }

  /** Returns the lines of all events of a kind, or of all kinds, newest first. */
  newestFirst(kind: number | undefined): readonly number[] {
    if (kind !== undefined) return this.#linesOfKind.get(kind) ?? NO_LINES;
    this.#all ??= [...this.#linesOfKind.values()].flat().sort(this.#byTime);
    return this.#all;
  }

  createdAt(line: number): number {
    return this.#createdAt[line]!;
  }

  kind(line: number): number {
    return this.#kinds[line]!;
  }

  /** Returns the number of events that match, `max` at most. */
  count(filter: Filter, max: number): number {
    const kinds = filter.kinds === undefined ? undefined : new Set(filter.kinds);
    const authors = filter.authors === undefined ? undefined : new Set(filter.authors.map(idKeyOf));
    const tagged = Object.entries(filter)
      .filter(([key]) => key.startsWith('#'))
      .map(([key, values]) => this.#withTag(key, values as string[]));
    const until = filter.until ?? Number.POSITIVE_INFINITY;
    const since = filter.since ?? 0;
    let count = 0;
    for (const line of this.#candidates(filter, tagged[0])) {
      if (count >= max) break;
      const createdAt = this.#createdAt[line]!;
      if (createdAt > until || createdAt < since) continue;
      if (kinds !== undefined && !kinds.has(this.#kinds[line]!)) continue;
      if (authors !== undefined && !authors.has(this.#pubkeys[line]!)) continue;
      if (tagged.every((lines) => lines.has(line))) count++;
    }
    return count;
  }

  #withTag(key: string, values: readonly string[]): Set<number> {
    return new Set(values.flatMap((value) => this.#linesOfTag.get(`${key} ${value}`) ?? NO_LINES));
  }

  /** Yields the lines that may match, by the most selective condition. */
  *#candidates(filter: Filter, tagged: ReadonlySet<number> | undefined): Generator<number> {
    if (filter.ids !== undefined) {
      for (const id of filter.ids) {
        const line = this.#linesOfId.get(idKeyOf(id));
        if (line !== undefined) yield line;
      }
    } else if (tagged !== undefined) {
      yield* tagged;
    } else if (filter.authors !== undefined) {
      for (const author of new Set(filter.authors)) {
        yield* this.#linesOfPubkey.get(idKeyOf(author)) ?? NO_LINES;
      }
    } else if (filter.kinds !== undefined) {
      for (const kind of new Set(filter.kinds)) yield* this.newestFirst(kind);
    } else {
      for (let line = 0; line < this.#dataset.count; line++) yield line;
    }
  }

  #readTags(line: number): void {
    const { bytes } = this.#dataset;
    const start = bytes.indexOf(TAGS, this.#dataset.kindStart(line)) + TAGS.length;
    const end = bytes.indexOf(CONTENT, start);
    const tags = JSON.parse(bytes.toString('utf8', start, end)) as string[][];
    for (const [name, value] of tags) {
      const lines = this.#linesOfTag.get(`#${name} ${value}`);
      // An event may name the same person twice.
      if (lines !== undefined && lines.at(-1) !== line) lines.push(line);
    }
  }
}

function append(lists: Map<number, number[]>, key: number, line: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [line]);
  else list.push(line);
}

function idKeyOf(hex: string): number {
  return Number.parseInt(hex.slice(0, 12), 16);
}
