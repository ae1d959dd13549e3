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

/** What a client asked of its query lane, REQ or COUNT. */
interface Question {
  connId: number;
  /** Packed. */
  filters: Uint8Array;
  arrivedAt: number;
}

/** What a REQ and a COUNT have in common. */
abstract class QuestionRun implements Run {
  readonly connId: number;
  /** The filters, packed. */
  readonly packed: Uint8Array;
  readonly arrivedAt: number;
  readonly bill: Bill | null;
  cancelled = false;
  counted = true;
  work = 0;
  rows = 0;
  /** Events sent, or counted, so far. */
  events = 0;
  protected readonly lane: Lane;
  readonly #readers: readonly string[];
  #union: Union | null = null;

  constructor(
    lane: Lane,
    { connId, filters, arrivedAt }: Question,
    readers: readonly string[],
    bill: Bill | null,
  ) {
    this.lane = lane;
    this.connId = connId;
    this.packed = filters;
    this.arrivedAt = arrivedAt;
    this.bill = bill;
    this.#readers = readers;
  }

  /** What it reads, as far as it has come. */
  get index(): IndexName {
    return this.#union?.index ?? 'none';
  }

  protected get begun(): boolean {
    return this.#union !== null;
  }

  /** What the filters find; who asks first begins it, in the snapshot of now. */
  protected union(counting: boolean): Union {
    this.#union ??= scans(unpackFilters(this.packed), this.#readers, this.lane, counting);
    return this.#union;
  }

  abstract step(budget: Budget): Step;
}

/** A REQ: stored events, EOSE, then the hand-over to monitor (order rule 3). */
export class ReqRun extends QuestionRun {
  readonly subNo: number;
  readonly subId: string;
  readonly #prefix: Buffer;
  /** The second that is being sent, and how much of it has been. */
  #second: readonly Stored[] = [];
  #sent = 0;
  /** Whether its stored events were cut short because its budget was used up. */
  short = false;
  /** The snapshot that the answer is from; later events come from monitor. */
  #seq = 0;

  constructor(
    lane: Lane,
    request: Question & { subNo: number; subId: string },
    readers: readonly string[],
    bill: Bill | null = null,
  ) {
    super(lane, request, readers, bill);
    this.subNo = request.subNo;
    this.subId = request.subId;
    this.#prefix = Buffer.from(eventPrefix(request.subId));
  }

  step(budget: Budget): Step {
    const { outlet, snapshot } = this.lane;
    const { bill } = this;
    const short = bill?.isShort(this.rows) === true;
    if (!this.begun) {
      // Who does not read gets nothing begun: what was begun takes memory.
      if (!this.lane.hasRoom(this)) return 'wait';
      this.#seq = snapshot.head;
    }
    const union = this.union(false);
    for (;;) {
      while (this.#sent < this.#second.length) {
        if (!this.lane.hasRoom(this)) return 'wait';
        const body = snapshot.body(this.#second[this.#sent++]!.seq);
        if (body === null) continue;
        outlet.event(this.connId, this.subNo, this.#prefix, body.bytes);
        this.events++;
        if (bill !== null) bill.bytes += body.bytes.length;
      }
      const second = union.next(budget);
      if (second === AGAIN) {
        if (!short) return 'again';
        if (this.events > 0) return this.#endShort('unknown');
        // Without an event there is nothing from which the client could go on.
        this.lane.refuse(this, bill!.refusal);
        return 'done';
      }
      if (second === null) break;
      if (short && this.events > 0) return this.#endShort('more');
      this.#second = second;
      this.#sent = 0;
    }
    return this.#end(union.completeness);
  }

  #endShort(completeness: Completeness): Step {
    this.short = true;
    return this.#end(completeness);
  }

  #end(completeness: Completeness): Step {
    // Before EOSE, so that nothing published in answer to it can come too early for monitor.
    this.lane.handOver(this, this.#seq);
    this.lane.outlet.eose(this.connId, this.subNo, this.subId, completeness);
    return 'done';
  }
}

/** A COUNT (NIP-45): exact; a filter's limit does not count. */
export class CountRun extends QuestionRun {
  readonly queryId: string;
  /** Why it was refused half-way, or ''. */
  refusal: Refusal | '' = '';

  constructor(
    lane: Lane,
    request: Question & { queryId: string },
    readers: readonly string[],
    bill: Bill | null = null,
  ) {
    super(lane, request, readers, bill);
    this.queryId = request.queryId;
  }

  step(budget: Budget): Step {
    const { outlet } = this.lane;
    if (this.bill?.isRefused(this.rows) === true) {
      // Half a count is none.
      this.refusal = this.bill.refusal;
      outlet.countRefused(this.connId, this.queryId, this.refusal);
      return 'done';
    }
    const union = this.union(true);
    for (;;) {
      const second = union.next(budget);
      if (second === AGAIN) return 'again';
      if (second === null) break;
      this.events += second.length;
    }
    outlet.count(this.connId, this.queryId, this.events);
    return 'done';
  }
}
