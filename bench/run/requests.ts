// Requests of a querying part with their right answers.

import type { Dataset } from '../dataset/dataset.ts';
import { Random } from '../dataset/random.ts';
import type { PreparedRequest } from '../load/job.ts';
import type { Filter } from '../load/matcher.ts';
import type { FilterTemplate, QueryPart } from '../scenarios/scenario.ts';
import { Oracle } from './oracle.ts';

/** Number of times a draw is tried before it is given up. */
const TRIES = 10_000;

/** Properties of a relay on which the right answers depend. */
export interface RelayTraits {
  readonly limitMax: number | undefined;
  readonly isAlone: boolean;
}

/** Maker of requests: fills templates from a dataset and counts the right answers. */
export class RequestMaker {
  readonly #dataset: Dataset;
  readonly #random: Random;
  readonly #limitMax: number;
  readonly #isAlone: boolean;

  /**
   * @param limitMax most events that this relay gives for a filter, as it says itself.
   * @param isAlone true if the relay holds nothing but this dataset.
   */
  constructor(dataset: Dataset, seed: number, { limitMax, isAlone }: RelayTraits) {
    this.#dataset = dataset;
    this.#random = new Random(seed, 1);
    this.#limitMax = limitMax ?? Number.POSITIVE_INFINITY;
    this.#isAlone = isAlone;
  }

  /** Returns the requests of a part in random order; the pages of a walk stay in order. */
  requests({ shapes, distinct, verb, grows }: QueryPart): PreparedRequest[] {
    const drawn = Array.from({ length: distinct }, () => {
      const shape = this.#shape(shapes);
      return { action: shape.action, template: shape.filter, filter: this.#fill(shape.filter) };
    });
    const terms = new Set(drawn.flatMap(({ filter }) => tagTerms(filter)));
    const oracle = new Oracle(this.#dataset, terms);
    const pages = new Map<FilterTemplate, number>();
    return drawn.map(({ action, template, filter }) => {
      if (template.until === 'page') this.#turnPage(oracle, template, filter, pages);
      const limit = Math.min(filter.limit ?? this.#limitMax, this.#limitMax);
      const min = oracle.count(filter, verb === 'COUNT' ? Number.POSITIVE_INFINITY : limit);
      // Other events may match as well, unless the filter names people or events of this dataset.
      const isExact = isOwn(filter) || (this.#isAlone && grows !== true);
      const max = isExact ? min : verb === 'COUNT' ? Number.POSITIVE_INFINITY : limit;
      return { action, filters: JSON.stringify(filter), min, max };
    });
  }

  #shape(shapes: QueryPart['shapes']): QueryPart['shapes'][number] {
    let weight = this.#random.next();
    for (const shape of shapes) {
      weight -= shape.weight;
      if (weight < 0) return shape;
    }
    return shapes[0]!;
  }

  #fill(template: FilterTemplate): Filter {
    const filter: Filter = {};
    if (template.ids !== undefined) filter.ids = [this.#dataset.id(this.#publicLine())];
    if (template.authors === 'one') filter.authors = [this.#author()];
    else if (template.authors !== undefined) filter.authors = this.#authors(template.authors);
    if (template.kinds !== undefined) filter.kinds = [...template.kinds];
    if (template['#e'] !== undefined) filter['#e'] = [this.#tagValue('e')];
    if (template['#p'] !== undefined) filter['#p'] = [this.#tagValue('p')];
    if (template['#t'] !== undefined) {
      const value =
        template['#t'] === 'nothing' ? `nothing${this.#random.hex(8)}` : this.#tagValue('t');
      filter['#t'] = [value];
    }
    if (template.limit !== undefined) filter.limit = template.limit;
    return filter;
  }

  /** Sets the filter to the next page of the walk; after the oldest it begins again. */
  #turnPage(
    oracle: Oracle,
    template: FilterTemplate,
    filter: Filter,
    pages: Map<FilterTemplate, number>,
  ): void {
    const { kinds, limit = 100 } = template;
    const lines = oracle.newestFirst(kinds?.[0]);
    const pagesCount = Math.max(Math.ceil(lines.length / limit), 1);
    const page = pages.get(template) ?? 0;
    pages.set(template, page + 1);
    const line = lines[(page % pagesCount) * limit];
    if (line !== undefined) filter.until = oracle.createdAt(line);
  }

  #publicLine(): number {
    for (let tries = 0; tries < TRIES; tries++) {
      const line = this.#line();
      if (this.#dataset.isPublic(line)) return line;
    }
    throw new Error('the dataset has no public events');
  }

  #line(): number {
    return this.#random.below(this.#dataset.count);
  }

  /** Returns the author of a random note: authors who write much come up more often. */
  #author(): string {
    for (let tries = 0; tries < TRIES; tries++) {
      const line = this.#line();
      if (this.#dataset.kind(line) === 1) return this.#dataset.pubkey(line);
    }
    throw new Error('the dataset has no notes');
  }

  /** Returns different authors; fewer if not enough were drawn. */
  #authors(count: number): string[] {
    const found = new Set<string>();
    for (let tries = 0; found.size < count && tries < count * 8; tries++) {
      found.add(this.#author());
    }
    return [...found];
  }

  #tagValue(name: string): string {
    for (let tries = 0; tries < TRIES; tries++) {
      const { kind, tags } = this.#dataset.event(this.#line());
      const found = tags.filter((tag) => tag[0] === name);
      // Follow lists name very many people and would hide who is popular.
      if (kind !== 3 && found.length > 0) return this.#random.pick(found)[1]!;
    }
    throw new Error(`the dataset has no ${name} tags`);
  }
}

/** Returns true if a filter names keys or ids; those of one dataset are in no other one. */
function isOwn(filter: Filter): boolean {
  return ['ids', 'authors', '#e', '#p'].some((key) => key in filter);
}

function tagTerms(filter: Filter): string[] {
  return Object.entries(filter)
    .filter(([key]) => key.startsWith('#'))
    .flatMap(([key, values]) => (values as string[]).map((value) => `${key} ${value}`));
}
