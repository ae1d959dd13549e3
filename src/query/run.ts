import { type UnpackedFilter, unpackFilters } from '../mailbox/filters.ts';
import { eventPrefix } from '../protocol/answers.ts';
import type { PrivateKinds } from '../protocol/privacy.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { TermHasher } from '../storage/terms.ts';
import type { Bill } from './bill.ts';
import type { IndexName } from './index-name.ts';
import type { Outlet } from './outlet.ts';
import { AGAIN, type Budget, type Completeness, FilterScan } from './scan.ts';
import type { Snapshot, Stored } from './snapshot.ts';
import { Union } from './union.ts';

/** How a step of a run ended: there is more to do, it waits for its client, or it is done. */
export type Step = 'again' | 'wait' | 'done';

/** Something that the scheduler gives slices to. */
export interface Run {
  readonly connId: number;
  cancelled: boolean;
  /** Whether it counts against `query.queries_max`: until it has to wait for its client. */
  counted: boolean;
  /** Milliseconds that the lane has worked on it, and rows that it has cost (`Budget`). */
  work: number;
  rows: number;
  /** Who pays for it; null: nobody has to. */
  readonly bill: Bill | null;
  step(budget: Budget): Step;
}

/** What runs need of their lane. */
export interface Lane {
  readonly snapshot: Snapshot;
  readonly hasher: TermHasher;
  readonly outlet: Outlet;
  limitDefault: number;
  limitMax: number;
  privateKinds: PrivateKinds;
  /** Whether the client can take more; if not, the run is queued again when it can. */
  hasRoom(run: Run): boolean;
  handOver(run: ReqRun, seq: number): void;
  /** Ends a REQ for which its client has no budget left. */
  refuse(run: ReqRun, why: Refusal): void;
}

function scans(
  filters: readonly UnpackedFilter[],
  readers: readonly string[],
  lane: Lane,
  counting: boolean,
): Union {
  const audience = { privateKinds: lane.privateKinds, readers };
  return new Union(
    filters
      .filter((filter) => !filter.matchesNothing)
      .map((filter) => {
        const asked = filter.limit ?? lane.limitDefault;
        const limit = counting ? Number.POSITIVE_INFINITY : Math.min(asked, lane.limitMax);
        const capped = filter.limit === null || filter.limit > lane.limitMax;
        return new FilterScan(filter, lane.snapshot, lane.hasher, {
          limit,
          capped,
          bodies: !counting,
          audience,
        });
      }),
  );
}

/** A REQ: stored events, EOSE, then the hand-over to monitor (order rule 3). */
export class ReqRun implements Run {
  readonly connId: number;
  readonly subNo: number;
  readonly subId: string;
  /** The filters, packed. */
  readonly packed: Uint8Array;
  readonly #readers: readonly string[];
  cancelled = false;
  counted = true;
  work = 0;
  rows = 0;
  /** Events sent. */
  events = 0;
  readonly arrivedAt: number;
  readonly bill: Bill | null;
  readonly #lane: Lane;
  readonly #prefix: Buffer;
  #union: Union | null = null;
  /** The second that is being sent, and how much of it has been. */
  #second: readonly Stored[] = [];
  #sent = 0;
  /** The snapshot that the answer is from; later events come from monitor. */
  #seq = 0;

  constructor(
    lane: Lane,
    connId: number,
    subNo: number,
    subId: string,
    packed: Uint8Array,
    readers: readonly string[],
    arrivedAt: number,
    bill: Bill | null = null,
  ) {
    this.arrivedAt = arrivedAt;
    this.bill = bill;
    this.#readers = readers;
    this.#lane = lane;
    this.connId = connId;
    this.subNo = subNo;
    this.subId = subId;
    this.packed = packed;
    this.#prefix = Buffer.from(eventPrefix(subId));
  }

  /** What it reads, as far as it has come. */
  get index(): IndexName {
    return this.#union?.index ?? 'none';
  }

  step(budget: Budget): Step {
    const { outlet, snapshot } = this.#lane;
    const { bill } = this;
    const short = bill?.isShort(this.rows) === true;
    if (this.#union === null) {
      // Who does not read gets nothing begun: what was begun takes memory.
      if (!this.#lane.hasRoom(this)) return 'wait';
      this.#seq = snapshot.head;
      this.#union = scans(unpackFilters(this.packed), this.#readers, this.#lane, false);
    }
    for (;;) {
      while (this.#sent < this.#second.length) {
        if (!this.#lane.hasRoom(this)) return 'wait';
        const body = snapshot.body(this.#second[this.#sent++]!.seq);
        if (body === null) continue;
        outlet.event(this.connId, this.subNo, this.#prefix, body.bytes);
        this.events++;
        if (bill !== null) bill.bytes += body.bytes.length;
      }
      const second = this.#union.next(budget);
      if (second === AGAIN) {
        if (!short) return 'again';
        if (this.events > 0) return this.#end('unknown');
        // Without an event there is nothing from which the client could go on.
        this.#lane.refuse(this, bill!.refusal);
        return 'done';
      }
      if (second === null) break;
      if (short && this.events > 0) return this.#end('more');
      this.#second = second;
      this.#sent = 0;
    }
    return this.#end(this.#union.completeness);
  }

  #end(completeness: Completeness): Step {
    // Before EOSE, so that nothing published in answer to it can come too early for monitor.
    this.#lane.handOver(this, this.#seq);
    this.#lane.outlet.eose(this.connId, this.subNo, this.subId, completeness);
    return 'done';
  }
}

/** A COUNT (NIP-45): exact; a filter's limit does not count. */
export class CountRun implements Run {
  readonly connId: number;
  readonly queryId: string;
  /** The filters, packed. */
  readonly packed: Uint8Array;
  readonly #readers: readonly string[];
  cancelled = false;
  counted = true;
  work = 0;
  rows = 0;
  readonly arrivedAt: number;
  readonly bill: Bill | null;
  readonly #lane: Lane;
  #union: Union | null = null;
  #count = 0;

  constructor(
    lane: Lane,
    connId: number,
    queryId: string,
    filters: Uint8Array,
    readers: readonly string[],
    arrivedAt: number,
    bill: Bill | null = null,
  ) {
    this.arrivedAt = arrivedAt;
    this.bill = bill;
    this.#readers = readers;
    this.#lane = lane;
    this.connId = connId;
    this.queryId = queryId;
    this.packed = filters;
  }

  /** What it reads, as far as it has come. */
  get index(): IndexName {
    return this.#union?.index ?? 'none';
  }

  /** Events counted so far. */
  get events(): number {
    return this.#count;
  }

  step(budget: Budget): Step {
    if (this.bill?.isRefused(this.rows) === true) {
      // Half a count is none.
      this.#lane.outlet.countRefused(this.connId, this.queryId, this.bill.refusal);
      return 'done';
    }
    this.#union ??= scans(unpackFilters(this.packed), this.#readers, this.#lane, true);
    for (;;) {
      const second = this.#union.next(budget);
      if (second === AGAIN) return 'again';
      if (second === null) break;
      this.#count += second.length;
    }
    this.#lane.outlet.count(this.connId, this.queryId, this.#count);
    return 'done';
  }
}
