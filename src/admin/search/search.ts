// Event search of the admin worker, outside the data path.

import type { ModerationReads } from '../../moderation/context.ts';
import { hiddenFrom } from '../../moderation/private-events.ts';
import { kindsIn } from '../../protocol/kind-range.ts';
import { type Caller, RpcError } from '../../rpc/method.ts';
import * as sql from '../../store/database/sql.ts';
import type { Position } from '../../store/read/entry.ts';
import { type Looked, look } from '../../store/read/select.ts';
import type { FoundEvent, PageEvent, SearchPage, SearchParams, Why } from '../../web/api/events.ts';
import { filterOf, wordMatcher } from './conditions.ts';

/** Maximum number of searches in progress. */
const SEARCHES_MAX = 4;
/** Time for a page, and for a slice of it, between which the event loop runs other work. */
const PAGE_MILLISECONDS = 500;
const SLICE_MILLISECONDS = 8;
/** UTF-16 units of JSON above which a page ends. */
const PAGE_CHARACTERS_MAX = 2 * 1024 * 1024;
/** Number of index entries read at once at the start. */
const ENTRIES_HELD = 20_000;

/** Searches events in slices, on the read-only connection of the admin worker. */
export class Search {
  readonly #context: ModerationReads;
  #running = 0;

  constructor(context: ModerationReads) {
    this.#context = context;
  }

  /** Returns a page of results. @throws RpcError for an invalid search or too many at once. */
  async page(params: SearchParams & { limit: number }, caller: Caller): Promise<SearchPage> {
    if (this.#running >= SEARCHES_MAX) {
      throw new RpcError('unavailable', 'Too many searches are running; try again.');
    }
    this.#running++;
    try {
      return await this.#page(params, caller);
    } finally {
      this.#running--;
    }
  }

  async #page(params: SearchParams & { limit: number }, caller: Caller): Promise<SearchPage> {
    const { db, hasher, clock } = this.#context;
    const hidden = hiddenFrom(caller, this.#context);
    const filter = filterOf(params, hidden);
    const behind = placeIn(params.cursor ?? '');
    const steps = look({
      db,
      hasher,
      filters: [filter],
      direction: 'downwards',
      nowSeconds: clock.seconds(),
      entriesHeld: ENTRIES_HELD,
      ...(behind !== null && { behind }),
    });
    const hasWords = wordMatcher(params.words ?? '');
    const events: FoundEvent[] = [];
    const end = performance.now() + PAGE_MILLISECONDS;
    let [looked, characters] = [0, 0];
    let last: Position | null = behind;
    let sliceEnd = performance.now() + SLICE_MILLISECONDS;
    let isOver = true;
    for (const step of steps) {
      last = step;
      looked++;
      const found = this.#found(step, hasWords);
      if (found !== null && !hidden.has(found.event.kind)) {
        events.push(found);
        characters += step.selected!.json.length;
      }
      const now = performance.now();
      if (events.length >= params.limit || characters > PAGE_CHARACTERS_MAX || now > end) {
        isOver = false;
        break;
      }
      if (now > sliceEnd) {
        await new Promise((resolve) => setImmediate(resolve));
        sliceEnd = performance.now() + SLICE_MILLISECONDS;
      }
    }
    return {
      events,
      next: isOver || last === null ? null : `${last.createdAt}:${last.seq}`,
      searchedTo: last?.createdAt ?? null,
      looked,
      without: this.#without(caller, params),
    };
  }

  #found({ selected }: Looked, hasWords: (json: string) => boolean): FoundEvent | null {
    if (selected === null || !hasWords(selected.json)) return null;
    const { seq, json } = selected;
    const stored = this.#context.db.prepare(sql.SELECT_STORED).get(seq) as
      | Why['stored']
      | undefined;
    const receivedAt = stored?.received_at ?? null;
    return { event: JSON.parse(json) as PageEvent, seq, receivedAt };
  }

  #without({ role }: Caller, { kinds }: SearchParams): number[] {
    if (role === 'admin') return [];
    const all = kindsIn(this.#context.config.auth.private_kinds);
    return kinds === undefined ? all : all.filter((kind) => kinds.includes(kind));
  }
}

/** Parses a cursor. @throws RpcError if it is not the `next` of a page. */
function placeIn(cursor: string): Position | null {
  if (cursor === '') return null;
  const [, createdAt, seq] = /^(\d{1,16}):(\d{1,16})$/.exec(cursor) ?? [];
  if (createdAt === undefined) {
    throw new RpcError('usage', 'cursor must be the unchanged `next` of the previous page.');
  }
  return { createdAt: Number(createdAt), seq: Number(seq) };
}
