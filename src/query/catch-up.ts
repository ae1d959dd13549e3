// Run of a query worker that replays events to a live subscription out of the log.

import { unpackFilters } from '../channel/packed-filters.ts';
import type { CatchUpRequest } from '../messages/query-monitor.ts';
import { eventPrefix } from '../protocol/answers.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { compileFilter, type Matcher } from '../protocol/filter.ts';
import { mayRead } from '../protocol/privacy.ts';
import { jsonOf } from '../store/body/body.ts';
import type { Budget } from '../store/read/scan.ts';
import { BaseRun, type RunContext } from './run.ts';
import type { RunQuota, Step } from './turns.ts';

/** Number of events of the log read at once, and the cost of each in rows. */
const CHUNK_EVENTS = 50;
const EVENT_ROWS = 10;

/**
 * Sends a subscription the events between its stored events and the point from which on it is live,
 * because monitor no longer had them.
 */
export class CatchUpRun extends BaseRun {
  readonly subNo: number;
  readonly subId: string;
  /** 0: its REQ was answered by EOSE. */
  readonly cost = 0;
  readonly #context: RunContext;
  readonly #prefix: Buffer;
  readonly #matchers: readonly Matcher[];
  readonly #readers: readonly string[];
  readonly #upTo: number;
  #seq: number;

  constructor(
    context: RunContext,
    { connId, subNo, subId, seq, upTo, filters, readers }: CatchUpRequest,
    quota: RunQuota,
  ) {
    super(connId, quota);
    this.subId = subId;
    this.#readers = readers;
    this.#context = context;
    this.subNo = subNo;
    this.#prefix = Buffer.from(eventPrefix(subId));
    this.#matchers = unpackFilters(filters).map(compileFilter);
    this.#seq = seq;
    this.#upTo = upTo;
  }

  step(budget: Budget): Step {
    const { snapshot, ioOutbox, privateKinds } = this.#context;
    while (this.#seq < this.#upTo) {
      if (budget.rows <= 0) return 'again';
      budget.rows -= CHUNK_EVENTS * EVENT_ROWS;
      const upTo = Math.min(this.#seq + CHUNK_EVENTS, this.#upTo);
      for (const { seq, body } of snapshot.log(this.#seq, upTo, CHUNK_EVENTS)) {
        if (!this.#context.canSend(this)) return 'wait';
        this.#seq = seq;
        const json = jsonOf(body);
        const event = JSON.parse(json) as NostrEvent;
        if (!this.#matchers.some((matches) => matches(event))) continue;
        if (privateKinds.has(event.kind) && !mayRead(event.kind, json, this.#readers)) continue;
        const bytes = Buffer.from(json);
        ioOutbox.event(this.connId, this.subNo, this.#prefix, bytes);
        if (this.queryCost !== null) this.queryCost.bytes += bytes.length;
      }
      this.#seq = upTo;
    }
    return 'done';
  }
}
