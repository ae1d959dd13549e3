// Reading of the set of a negentropy session from the database, in slices.

import { packFilters, UnpackedFilter } from '../channel/packed-filters.ts';
import { RecordReader } from '../channel/records.ts';
import { element } from '../lib/assert.ts';
import { ID_BYTES } from '../negentropy/bound.ts';
import type { IdSet } from '../negentropy/id-set.ts';
import type { Filter } from '../protocol/filter.ts';
import type { PrivateKinds } from '../protocol/privacy.ts';
import type { TermHasher } from '../store/index/terms.ts';
import type { Audience } from '../store/read/recheck.ts';
import { AGAIN, ALL, type Budget, FilterScan } from '../store/read/scan.ts';
import type { Snapshot } from '../store/read/snapshot.ts';

/** Items of a block. */
const BLOCK_ITEMS = 4096;
/** Cost of adding an item to the set, in rows of 0.3 µs (measured: 0.6 µs). */
const ITEM_ROWS = 2;

/** Items in the order in which they were found. */
interface Block {
  readonly times: Float64Array;
  readonly ids: Buffer;
  count: number;
}

/** Database that sets are read from, and the kinds that only their parties may read. */
export interface SetSource {
  readonly snapshot: Snapshot;
  readonly hasher: TermHasher;
  privateKinds: PrivateKinds;
}

/** Session whose set is read. */
interface Read {
  readonly filter: UnpackedFilter;
  readonly set: IdSet;
  /** Snapshot of the event tree that it has beside the set, or null. */
  readonly base: IdSet | null;
  /** Pubkeys for which the set was read before; null: it was not. */
  readonly readers: readonly string[] | null;
}

/**
 * Returns a reader of the events of a session that its snapshot of the event tree does not have,
 * for these pubkeys; if it was read before for others, of those that were hidden from them.
 */
export function readerOf(
  { base, filter, set, readers: before }: Read,
  readers: readonly string[],
  source: SetSource,
): SetReader {
  const { privateKinds } = source;
  const rest = base === null ? filter : privatePart(filter, privateKinds, readers);
  return new SetReader(rest, set, source, { privateKinds, readers, before });
}

/** Returns the part of a filter that event trees do not have; without readers, nothing. */
function privatePart(
  { authors, kinds, tags, since, until }: Filter,
  privateKinds: PrivateKinds,
  readers: readonly string[],
): UnpackedFilter {
  const hidden = readers.length === 0 ? [] : privateKinds.among({ kinds });
  const packed = packFilters([
    {
      ids: null,
      authors,
      kinds: hidden,
      tags,
      since,
      until,
      limit: null,
      matchesNothing: hidden.length === 0,
    },
  ]);
  const from = new RecordReader(packed);
  from.u32();
  return new UnpackedFilter(from);
}

/**
 * Reads the ids of all stored events that match a filter and that the audience may read, as a REQ
 * would find them, and adds them to a set. A `limit` means the newest events, as in a REQ, but no
 * limit of the relay applies to it.
 *
 * The index is read newest first and the set is filled oldest first, which is its fast way and
 * leaves its chunks full. So the items are gathered in blocks, which are freed one by one.
 */
export class SetReader {
  readonly #scan: FilterScan | null;
  readonly #set: IdSet;
  readonly #limit: number | null;
  readonly #blocks: Block[] = [];
  readonly #before: number;
  #found = 0;
  #isRead = false;

  constructor(
    filter: UnpackedFilter,
    set: IdSet,
    { snapshot, hasher }: Pick<SetSource, 'snapshot' | 'hasher'>,
    audience: Audience,
  ) {
    this.#set = set;
    this.#before = set.size;
    this.#limit = filter.limit;
    const share =
      filter.limit === null ? ALL : { limit: filter.limit, most: filter.limit, exact: true };
    this.#scan = filter.matchesNothing
      ? null
      : new FilterScan(filter, snapshot, hasher, {
          share,
          filters: 1,
          bodies: false,
          audience,
          upTo: snapshot.head,
        });
  }

  /** Number of items that the set had, and that were found so far. */
  get items(): number {
    return this.#before + this.#found;
  }

  /** Goes on until the budget is used up; returns true when the set is complete. */
  step(budget: Budget): boolean {
    if (!this.#isRead) this.#isRead = this.#read(budget);
    return this.#isRead && this.#fill(budget);
  }

  /** Reads matches; returns true at the end. */
  #read(budget: Budget): boolean {
    if (this.#scan === null) return true;
    while (budget.rows > 0) {
      if (this.#limit === null) {
        const entry = this.#scan.entry(budget);
        if (entry === AGAIN) return false;
        if (entry === null) return true;
        this.#keep(entry.createdAt, this.#scan.entryId);
      } else {
        const second = this.#scan.next(budget);
        if (second === AGAIN) return false;
        if (second === null) return true;
        for (const { createdAt, id } of second) this.#keep(createdAt, id);
      }
    }
    return false;
  }

  #keep(time: number, id: string): void {
    let block = this.#blocks.at(-1);
    if (block === undefined || block.count === BLOCK_ITEMS) {
      const ids = Buffer.allocUnsafeSlow(BLOCK_ITEMS * ID_BYTES);
      block = { times: new Float64Array(BLOCK_ITEMS), ids, count: 0 };
      this.#blocks.push(block);
    }
    block.times[block.count] = time;
    block.ids.write(id, block.count * ID_BYTES, 'hex');
    block.count++;
    this.#found++;
  }

  /** Moves items to the set, the last one found first; returns true when none is left. */
  #fill(budget: Budget): boolean {
    for (;;) {
      const block = this.#blocks.at(-1);
      if (block === undefined) return true;
      while (block.count > 0) {
        if (budget.rows <= 0) return false;
        budget.rows -= ITEM_ROWS;
        const at = --block.count;
        const id = block.ids.subarray(at * ID_BYTES, (at + 1) * ID_BYTES);
        this.#set.add(element(block.times[at]), id);
      }
      this.#blocks.pop();
    }
  }
}
