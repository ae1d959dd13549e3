import { packFilters, type UnpackedFilter, unpackFilters } from '../mailbox/filters.ts';
import type { VanishedKey } from '../messages.ts';
import { type EoseHint, eventPrefix } from '../protocol/answers.ts';
import type { PrivateKinds } from '../protocol/privacy.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { mayHaveHad } from '../protocol/vanish.ts';
import type { TermHasher } from '../storage/terms.ts';
import type { Bill } from './bill.ts';
import type { IndexName } from './index-name.ts';
import type { Outlet } from './outlet.ts';
import type { Audience } from './recheck.ts';
import { AGAIN, ALL, type Budget, type Completeness, FilterScan, shareOf } from './scan.ts';
import type { Snapshot, Stored } from './snapshot.ts';
import { Tally } from './tally.ts';
import type { QueryTurns } from './turns.ts';
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
  /** Rows that its first turn is expected to cost. */
  readonly expectedRows: number;
  /** Who pays for it; null: nobody has to. */
  readonly bill: Bill | null;
  /** Where it waits for its turn. */
  readonly turns: QueryTurns;
  /** Whether it has had a turn. */
  hasTurned: boolean;
  /** Bytes that it holds between two turns, as they were last estimated. */
  held: number;
  step(budget: Budget): Step;
  /** Estimates what it holds now. */
  weigh(): number;
  /** Gives up what it holds; it is cancelled. */
  drop(): void;
}

/** What all runs have in common. */
export abstract class BaseRun implements Run {
  readonly connId: number;
  readonly bill: Bill | null;
  readonly turns: QueryTurns;
  cancelled = false;
  counted = true;
  hasTurned = false;
  readonly expectedRows: number = 1;
  work = 0;
  rows = 0;
  held = 0;

  constructor(connId: number, { bill, turns }: Account) {
    this.connId = connId;
    this.bill = bill;
    this.turns = turns;
  }

  abstract step(budget: Budget): Step;

  weigh(): number {
    return 0;
  }

  drop(): void {
    this.cancelled = true;
  }
}

/** On whose account a run goes: who pays for what it reads, and with which others it takes turns. */
export interface Account {
  /** Null: nobody has to. */
  readonly bill: Bill | null;
  readonly turns: QueryTurns;
}

/** What runs need of their lane. */
export interface Lane {
  readonly snapshot: Snapshot;
  readonly hasher: TermHasher;
  readonly outlet: Outlet;
  limitDefault: number;
  limitMax: number;
  eoseHints: EoseHints;
  privateKinds: PrivateKinds;
  /** Whether the client can take more; if not, the run is queued again when it can. */
  hasRoom(run: Run): boolean;
  handOver(run: ReqRun, seq: number): void;
  /** Ends a subscription for which its client has no budget left. */
  refuse(run: ReqRun | HeldBackRun, why: Refusal): void;
}

/** How the filters of a query are read. */
interface Reading {
  counting: boolean;
  audience: Audience;
  /** The last event of the log that is looked at; later ones come from monitor. */
  upTo: number;
}

function scans(filters: readonly UnpackedFilter[], lane: Lane, reading: Reading): FilterScan[] {
  const { counting, audience, upTo } = reading;
  return filters
    .filter((filter) => !filter.matchesNothing)
    .map((filter) => {
      const share = counting ? ALL : shareOf(filter.limit, lane.limitDefault, lane.limitMax);
      return new FilterScan(filter, lane.snapshot, lane.hasher, {
        share,
        filters: filters.length,
        bodies: !counting,
        audience,
        upTo,
      });
    });
}

/** What a client asked of its query lane, REQ or COUNT. */
interface Question {
  connId: number;
  /** Packed. */
  filters: Uint8Array;
  arrivedAt: number;
  /** What its message costs until it is answered (`lib/message-cost.ts`). */
  cost: number;
}

/**
 * How much larger filters are while they are read than packed: strings, sets, lists of kinds (measured:
 * 11 kB for one of 20 authors and 200 kinds, which has 1 kB packed).
 */
const UNPACKED_FACTOR = 12;
/** Bytes of packed filters that are read and planned for in the time of a row (0.3 µs). */
const PACKED_BYTES_A_ROW = 8;

/** What a REQ and a COUNT read by. */
type Reader = Pick<Union, 'index' | 'mayHide' | 'held'>;

/** What a REQ and a COUNT have in common. */
abstract class QuestionRun<By extends Reader> extends BaseRun {
  /** The filters, packed. */
  readonly packed: Uint8Array;
  readonly arrivedAt: number;
  readonly cost: number;
  override readonly expectedRows: number;
  /** Events sent, or counted, so far. */
  events = 0;
  /** The pubkeys that had authenticated when it was asked. */
  readonly readers: readonly string[];
  protected readonly lane: Lane;
  #reader: By | null = null;

  constructor(
    lane: Lane,
    { connId, filters, arrivedAt, cost }: Question,
    readers: readonly string[],
    account: Account,
  ) {
    super(connId, account);
    this.lane = lane;
    this.packed = filters;
    this.expectedRows = filters.length / PACKED_BYTES_A_ROW;
    this.arrivedAt = arrivedAt;
    this.cost = cost;
    this.readers = readers;
  }

  /** What it reads, as far as it has come. */
  get index(): IndexName {
    return this.#reader?.index ?? 'none';
  }

  /** Whether it began, and something that matches may be hidden from its readers. */
  get mayHide(): boolean {
    return this.#reader?.mayHide === true;
  }

  protected get begun(): boolean {
    return this.#reader !== null;
  }

  /** Forgets how far it has come; it begins anew in the snapshot of its next step. */
  protected reset(): void {
    this.#reader = null;
    this.events = 0;
  }

  override weigh(): number {
    return this.#reader === null ? 0 : this.#reader.held + this.packed.length * UNPACKED_FACTOR;
  }

  override drop(): void {
    super.drop();
    this.#reader = null;
  }

  /** What finds the events; whoever asks first begins it, in the snapshot of now. */
  protected reader(counting: boolean, read: (scans: FilterScan[]) => By): By {
    this.#reader ??= read(
      scans(unpackFilters(this.packed), this.lane, {
        counting,
        audience: { privateKinds: this.lane.privateKinds, readers: this.readers, before: null },
        upTo: this.lane.snapshot.head,
      }),
    );
    return this.#reader;
  }
}

/** A query whose events go to a subscription. */
interface EventsRun extends Run {
  readonly subNo: number;
  /** Events sent so far. */
  events: number;
}

/** Sends the seconds of a union to a subscription, as far as its client has room. */
class EventSender {
  readonly #lane: Lane;
  readonly #run: EventsRun;
  readonly #prefix: Buffer;
  /** The second that is being sent, and how much of it has been. */
  #second: readonly Stored[] = [];
  #sent = 0;

  constructor(lane: Lane, run: EventsRun, subId: string) {
    this.#lane = lane;
    this.#run = run;
    this.#prefix = Buffer.from(eventPrefix(subId));
  }

  begin(second: readonly Stored[]): void {
    this.#second = second;
    this.#sent = 0;
  }

  /** Sends what is left of the second; false when the client has no room for it. */
  send(): boolean {
    const { snapshot, outlet } = this.#lane;
    const run = this.#run;
    while (this.#sent < this.#second.length) {
      if (!this.#lane.hasRoom(run)) return false;
      const body = snapshot.body(this.#second[this.#sent++]!.seq);
      if (body === null) continue;
      outlet.event(run.connId, run.subNo, this.#prefix, body.bytes);
      run.events++;
      if (run.bill !== null) run.bill.bytes += body.bytes.length;
    }
    return true;
  }
}

/** A REQ: stored events, EOSE, then the hand-over to monitor (order rule 3). */
export class ReqRun extends QuestionRun<Union> implements EventsRun {
  readonly subNo: number;
  readonly subId: string;
  readonly #sender: EventSender;
  /** Whether its stored events were cut short because its budget was used up. */
  short = false;
  /** The snapshot that the answer is from; later events come from monitor. */
  #seq = 0;

  constructor(
    lane: Lane,
    request: Question & { subNo: number; subId: string },
    readers: readonly string[],
    account: Account,
  ) {
    super(lane, request, readers, account);
    this.subNo = request.subNo;
    this.subId = request.subId;
    this.#sender = new EventSender(lane, this, request.subId);
  }

  override drop(): void {
    super.drop();
    this.#sender.begin([]);
  }

  step(budget: Budget): Step {
    const { bill } = this;
    const short = bill?.isShort(this.rows) === true;
    if (!this.begun) {
      // Who does not read gets nothing begun: what was begun takes memory.
      if (!this.lane.hasRoom(this)) return 'wait';
      this.#seq = this.lane.snapshot.head;
    }
    const union = this.reader(false, (scans) => new Union(scans));
    for (;;) {
      if (!this.#sender.send()) return 'wait';
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
      this.#sender.begin(second);
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
    const hint = hintOf(completeness, this.lane.eoseHints);
    this.lane.outlet.eose(this, hint);
    return 'done';
  }
}

/** Which hints EOSE carries (`query.eose_hints`). */
export type EoseHints = 'off' | 'more' | 'all';

function hintOf(completeness: Completeness, hints: EoseHints): EoseHint | undefined {
  if (hints === 'off' || completeness === 'unknown') return undefined;
  return hints === 'all' || completeness === 'more' ? completeness : undefined;
}

/** What a `HeldBackRun` sends: the filters, packed, and between whom it tells apart. */
export interface HeldBack {
  connId: number;
  subNo: number;
  subId: string;
  /** Packed; they name private kinds only. */
  filters: Uint8Array;
  /** The pubkeys that have authenticated, and those for which the subscription was answered before. */
  readers: readonly string[];
  before: readonly string[];
  /** The last event that was matched without the new readers. */
  upTo: number;
}

/**
 * The stored events that an open subscription was not given until its connection authenticated. Live
 * events are held meanwhile (`HOLD`). Each filter's limit counts anew.
 */
export class HeldBackRun extends BaseRun implements EventsRun {
  readonly subNo: number;
  readonly subId: string;
  /** Its REQ was answered by EOSE. */
  readonly cost = 0;
  events = 0;
  readonly #lane: Lane;
  readonly #heldBack: HeldBack;
  readonly #sender: EventSender;
  #union: Union | null = null;

  constructor(lane: Lane, heldBack: HeldBack, account: Account) {
    super(heldBack.connId, account);
    // Bounded by the subscriptions of its client, which cannot ask for it again.
    this.counted = false;
    this.subNo = heldBack.subNo;
    this.subId = heldBack.subId;
    this.#lane = lane;
    this.#heldBack = heldBack;
    this.#sender = new EventSender(lane, this, heldBack.subId);
  }

  override weigh(): number {
    return this.#union?.held ?? 0;
  }

  override drop(): void {
    super.drop();
    this.#union = null;
    this.#sender.begin([]);
  }

  step(budget: Budget): Step {
    const { outlet, privateKinds } = this.#lane;
    if (this.bill?.isRefused(this.rows) === true) {
      this.#lane.refuse(this, this.bill.refusal);
      return 'done';
    }
    const { filters, readers, before, upTo } = this.#heldBack;
    this.#union ??= new Union(
      scans(unpackFilters(filters), this.#lane, {
        counting: false,
        audience: { privateKinds, readers, before },
        upTo,
      }),
    );
    for (;;) {
      if (!this.#sender.send()) return 'wait';
      const second = this.#union.next(budget);
      if (second === AGAIN) return 'again';
      if (second === null) break;
      this.#sender.begin(second);
    }
    outlet.resume(this.connId, this.subNo);
    return 'done';
  }
}

/**
 * The part of packed filters that may match private events which are hidden from `readers`; null when
 * there is none.
 */
export function hiddenPart(
  packed: Uint8Array,
  privateKinds: PrivateKinds,
  readers: readonly string[],
): Uint8Array | null {
  const hidden = unpackFilters(packed).filter((filter) => privateKinds.mayHide(filter, readers));
  if (hidden.length === 0) return null;
  return packFilters(
    hidden.map((filter) => {
      const { ids, authors, tags, since, until, limit, matchesNothing } = filter;
      const kinds = privateKinds.among(filter);
      return { ids, authors, kinds, tags, since, until, limit, matchesNothing };
    }),
  );
}

/** So often a COUNT is begun anew because events that it may have counted were removed. */
const COUNT_AGAIN_MAX = 3;
const KEPT_CHANGING: Refusal =
  'error: events were removed again and again while they were counted; try again later';

/** A COUNT (NIP-45): exact; a filter's limit does not count. */
export class CountRun extends QuestionRun<Tally> {
  readonly queryId: string;
  /** Why it was refused half-way, or ''. */
  refusal: Refusal | '' = '';
  #again = 0;

  constructor(
    lane: Lane,
    request: Question & { queryId: string },
    readers: readonly string[],
    account: Account,
  ) {
    super(lane, request, readers, account);
    this.queryId = request.queryId;
  }

  /** A key has vanished: what was counted of it must not be told. */
  countAgain(key: VanishedKey): void {
    if (!this.begun || !unpackFilters(this.packed).some((one) => mayHaveHad(one, key))) return;
    this.reset();
    if (this.#again++ === COUNT_AGAIN_MAX) this.refusal = KEPT_CHANGING;
  }

  step(budget: Budget): Step {
    const { outlet } = this.lane;
    // Half a count is none.
    if (this.bill?.isRefused(this.rows) === true) this.refusal = this.bill.refusal;
    if (this.refusal !== '') {
      outlet.countRefused(this, this.refusal);
      return 'done';
    }
    const tally = this.reader(true, (scans) => new Tally(scans));
    const end = tally.next(budget);
    this.events = tally.count;
    if (end === AGAIN) return 'again';
    outlet.count(this, this.events);
    return 'done';
  }
}
