// Runs of a query worker: resumable executions of REQ, COUNT, and the sending of held-back events.

import { packFilters, type UnpackedFilter, unpackFilters } from '../channel/packed-filters.ts';
import { element, present } from '../lib/assert.ts';
import type { VanishedKey } from '../messages/vanished.ts';
import { type EoseHint, eventPrefix } from '../protocol/answers.ts';
import type { PrivateKinds } from '../protocol/privacy.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { mayHaveHad } from '../protocol/vanish.ts';
import type { TermHasher } from '../store/index/terms.ts';
import type { IndexName } from '../store/read/index-name.ts';
import type { Audience } from '../store/read/recheck.ts';
import {
  AGAIN,
  ALL,
  type Budget,
  type Completeness,
  FilterScan,
  shareOf,
} from '../store/read/scan.ts';
import type { Match, Snapshot } from '../store/read/snapshot.ts';
import { Tally } from '../store/read/tally.ts';
import { Union } from '../store/read/union.ts';
import type { IoOutbox } from './io-outbox.ts';
import type { QueryCost } from './query-cost.ts';
import type { QueryTurns, Run, RunQuota, Step } from './turns.ts';

/** Common state of all runs. */
export abstract class BaseRun implements Run {
  readonly connId: number;
  readonly queryCost: QueryCost | null;
  readonly turns: QueryTurns;
  cancelled = false;
  counted = true;
  hasTurned = false;
  readonly expectedRows: number = 1;
  work = 0;
  rows = 0;
  held = 0;

  constructor(connId: number, { queryCost, turns }: RunQuota) {
    this.connId = connId;
    this.queryCost = queryCost;
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

/** Context of a query worker that runs need. */
export interface RunContext {
  readonly snapshot: Snapshot;
  readonly hasher: TermHasher;
  readonly ioOutbox: IoOutbox;
  limitDefault: number;
  limitMax: number;
  eoseHints: EoseHints;
  privateKinds: PrivateKinds;
  /** Returns true if the client can take more; otherwise the run is queued again when it can. */
  canSend(run: Run): boolean;
  handOver(run: ReqRun, seq: number): void;
  /** Ends a subscription whose client has no budget left. */
  refuse(run: ReqRun | HeldBackRun, why: Refusal): void;
}

/** Options for reading the filters of a query. */
interface Reading {
  counting: boolean;
  audience: Audience;
  /** Last event of the log that is read; later ones come from monitor. */
  upTo: number;
}

function scans(
  filters: readonly UnpackedFilter[],
  context: RunContext,
  reading: Reading,
): FilterScan[] {
  const { counting, audience, upTo } = reading;
  return filters
    .filter((filter) => !filter.matchesNothing)
    .map((filter) => {
      const share = counting ? ALL : shareOf(filter.limit, context.limitDefault, context.limitMax);
      return new FilterScan(filter, context.snapshot, context.hasher, {
        share,
        filters: filters.length,
        bodies: !counting,
        audience,
        upTo,
      });
    });
}

/** Request of a client, REQ or COUNT. */
interface Question {
  connId: number;
  /** Packed. */
  filters: Uint8Array;
  arrivedAt: number;
  /** Cost of its message until it is answered (`lib/message-cost.ts`). */
  cost: number;
}

/**
 * Factor by which filters are larger while they are read than packed: strings, sets, lists of kinds
 * (measured: 11 kB for one of 20 authors and 200 kinds, which has 1 kB packed).
 */
const UNPACKED_FACTOR = 12;

/** Bytes of packed filters that are read and planned for in the time of a row (0.3 µs). */
const PACKED_BYTES_A_ROW = 8;

/** Common part of `Union`, which a REQ reads, and `Tally`, which a COUNT reads. */
type Reader = Pick<Union, 'index' | 'mayHide' | 'held'>;

/** Common state of a REQ and a COUNT. */
abstract class QuestionRun<By extends Reader> extends BaseRun {
  /** Filters, packed. */
  readonly packed: Uint8Array;
  readonly arrivedAt: number;
  readonly cost: number;
  override readonly expectedRows: number;
  /** Number of events sent, or counted, so far. */
  events = 0;
  /** Pubkeys that had authenticated when the request came. */
  readonly readers: readonly string[];
  protected readonly context: RunContext;
  #reader: By | null = null;

  constructor(
    context: RunContext,
    { connId, filters, arrivedAt, cost }: Question,
    readers: readonly string[],
    quota: RunQuota,
  ) {
    super(connId, quota);
    this.context = context;
    this.packed = filters;
    this.expectedRows = filters.length / PACKED_BYTES_A_ROW;
    this.arrivedAt = arrivedAt;
    this.cost = cost;
    this.readers = readers;
  }

  /** Index that it has read so far. */
  get index(): IndexName {
    return this.#reader?.index ?? 'none';
  }

  /** True if it has begun, and a match may be hidden from its readers. */
  get mayHide(): boolean {
    return this.#reader?.mayHide === true;
  }

  protected get begun(): boolean {
    return this.#reader !== null;
  }

  /** Discards its progress; it begins anew in the snapshot of its next step. */
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

  /** Returns the reader of the events; the first call makes it, in the current snapshot. */
  protected reader(counting: boolean, read: (scans: FilterScan[]) => By): By {
    this.#reader ??= read(
      scans(unpackFilters(this.packed), this.context, {
        counting,
        audience: { privateKinds: this.context.privateKinds, readers: this.readers, before: null },
        upTo: this.context.snapshot.head,
      }),
    );
    return this.#reader;
  }
}

/** Run that sends events to a subscription. */
interface EventsRun extends Run {
  readonly subNo: number;
  /** Number of events sent so far. */
  events: number;
}

/** Sends the seconds of a union to a subscription, within the send window of its client. */
class EventSender {
  readonly #context: RunContext;
  readonly #run: EventsRun;
  readonly #prefix: Buffer;
  /** Second that is being sent, and the number of its events sent so far. */
  #second: readonly Match[] = [];
  #sent = 0;

  constructor(context: RunContext, run: EventsRun, subId: string) {
    this.#context = context;
    this.#run = run;
    this.#prefix = Buffer.from(eventPrefix(subId));
  }

  begin(second: readonly Match[]): void {
    this.#second = second;
    this.#sent = 0;
  }

  /** Sends the rest of the second; returns false if the client blocks it. */
  send(): boolean {
    const { snapshot, ioOutbox } = this.#context;
    const run = this.#run;
    while (this.#sent < this.#second.length) {
      if (!this.#context.canSend(run)) return false;
      const body = snapshot.body(element(this.#second[this.#sent++]).seq);
      if (body === null) continue;
      ioOutbox.event(run.connId, run.subNo, this.#prefix, body.bytes);
      run.events++;
      if (run.queryCost !== null) run.queryCost.bytes += body.bytes.length;
    }
    return true;
  }
}

/** REQ: sends stored events and EOSE, and hands the subscription over to monitor (order rule 3). */
export class ReqRun extends QuestionRun<Union> implements EventsRun {
  readonly subNo: number;
  readonly subId: string;
  readonly #sender: EventSender;
  /** True if its stored events were cut short because its budget was used up. */
  short = false;
  /** Head of the snapshot that the answer is from; later events come from monitor. */
  #seq = 0;

  constructor(
    context: RunContext,
    request: Question & { subNo: number; subId: string },
    readers: readonly string[],
    quota: RunQuota,
  ) {
    super(context, request, readers, quota);
    this.subNo = request.subNo;
    this.subId = request.subId;
    this.#sender = new EventSender(context, this, request.subId);
  }

  override drop(): void {
    super.drop();
    this.#sender.begin([]);
  }

  step(budget: Budget): Step {
    const { queryCost } = this;
    const short = queryCost?.isShort(this.rows) === true;
    if (!this.begun) {
      // A query of a client that does not read is not begun, because begun queries take memory.
      if (!this.context.canSend(this)) return 'wait';
      this.#seq = this.context.snapshot.head;
    }
    const union = this.reader(false, (scans) => new Union(scans));
    for (;;) {
      if (!this.#sender.send()) return 'wait';
      const second = union.next(budget);
      if (second === AGAIN) {
        if (!short) return 'again';
        if (this.events > 0) return this.#endShort('unknown');
        // Without an event there is nothing from which the client could go on.
        this.context.refuse(this, present(queryCost, 'bill of a query that is cut short').refusal);
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
    // Before EOSE, so that no event published after it is too early for monitor.
    this.context.handOver(this, this.#seq);
    const hint = hintOf(completeness, this.context.eoseHints);
    this.context.ioOutbox.eose(this, hint);
    return 'done';
  }
}

/** Hints that EOSE carries (`query.eose_hints`). */
type EoseHints = 'off' | 'more' | 'all';

function hintOf(completeness: Completeness, hints: EoseHints): EoseHint | undefined {
  if (hints === 'off' || completeness === 'unknown') return undefined;
  return hints === 'all' || completeness === 'more' ? completeness : undefined;
}

/** Input of a `HeldBackRun`: filters, and the readers before and after an authentication. */
export interface HeldBack {
  connId: number;
  subNo: number;
  subId: string;
  /** Packed; they name private kinds only. */
  filters: Uint8Array;
  /** Pubkeys that have authenticated, and those for which the subscription was answered before. */
  readers: readonly string[];
  before: readonly string[];
  /** Last event that was matched without the new readers. */
  upTo: number;
}

/**
 * Sends the stored events that were hidden from an open subscription until its connection
 * authenticated. Live events are held meanwhile (`HOLD`). Each filter's limit counts anew.
 */
export class HeldBackRun extends BaseRun implements EventsRun {
  readonly subNo: number;
  readonly subId: string;
  /** 0: its REQ was answered by EOSE. */
  readonly cost = 0;
  events = 0;
  readonly #context: RunContext;
  readonly #heldBack: HeldBack;
  readonly #sender: EventSender;
  #union: Union | null = null;

  constructor(context: RunContext, heldBack: HeldBack, quota: RunQuota) {
    super(heldBack.connId, quota);
    // Bounded by the subscriptions of its client, which cannot ask for it again.
    this.counted = false;
    this.subNo = heldBack.subNo;
    this.subId = heldBack.subId;
    this.#context = context;
    this.#heldBack = heldBack;
    this.#sender = new EventSender(context, this, heldBack.subId);
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
    const { ioOutbox, privateKinds } = this.#context;
    if (this.queryCost?.isRefused(this.rows) === true) {
      this.#context.refuse(this, this.queryCost.refusal);
      return 'done';
    }
    const { filters, readers, before, upTo } = this.#heldBack;
    this.#union ??= new Union(
      scans(unpackFilters(filters), this.#context, {
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
    ioOutbox.resume(this.connId, this.subNo);
    return 'done';
  }
}

/**
 * Returns the part of packed filters that may match private events which are hidden from `readers`;
 * null if there is none.
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

/** Times that a COUNT is begun anew because events that it may have counted were removed. */
const COUNT_AGAIN_MAX = 3;

const KEPT_CHANGING: Refusal =
  'error: events were removed repeatedly while they were counted; try again later';

/** COUNT (NIP-45): exact; a filter's limit does not count. */
export class CountRun extends QuestionRun<Tally> {
  readonly queryId: string;
  /** Reason why it was refused half-way, or ''. */
  refusal: Refusal | '' = '';
  #again = 0;

  constructor(
    context: RunContext,
    request: Question & { queryId: string },
    readers: readonly string[],
    quota: RunQuota,
  ) {
    super(context, request, readers, quota);
    this.queryId = request.queryId;
  }

  /** Restarts the count if it may hold events of a vanished key, which must not be told. */
  countAgain(key: VanishedKey): void {
    if (!this.begun || !unpackFilters(this.packed).some((one) => mayHaveHad(one, key))) return;
    this.reset();
    if (this.#again++ === COUNT_AGAIN_MAX) this.refusal = KEPT_CHANGING;
  }

  step(budget: Budget): Step {
    const { ioOutbox } = this.context;
    // A partial count is not sent.
    if (this.queryCost?.isRefused(this.rows) === true) this.refusal = this.queryCost.refusal;
    if (this.refusal !== '') {
      ioOutbox.countRefused(this, this.refusal);
      return 'done';
    }
    const tally = this.reader(true, (scans) => new Tally(scans));
    const end = tally.next(budget);
    this.events = tally.count;
    if (end === AGAIN) return 'again';
    ioOutbox.count(this, this.events);
    return 'done';
  }
}
