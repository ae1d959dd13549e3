// Range-based set reconciliation (negentropy, NIP-77): the answers of the side that is asked, and
// the messages and findings of the side that asks.

import { type Bound, boundBetween, END, ID_BYTES } from './bound.ts';
import type { Items } from './merged-set.ts';
import {
  FINGERPRINT,
  MessageError,
  MessageReader,
  MessageWriter,
  type Range,
  SKIP,
  VERSION,
} from './message.ts';
import { IdSum } from './sums.ts';

/** Parts into which a range that differs is divided. */
const PARTS = 16;
/** Items below which a range that differs is sent as a list. */
const LIST_ITEMS = PARTS * 2;
/**
 * Bytes that are kept free at the end of a message: for the parts of one range (16 fingerprints or
 * 31 ids) and the last one.
 */
const RESERVED_BYTES = 1300;

/** Items of a set that take part, by index: those of a filter with `since` and `until`. */
export interface Selection {
  readonly set: Items;
  readonly from: number;
  readonly to: number;
}

/** Returns all items of a set. */
export function allOf(set: Items): Selection {
  return { set, from: 0, to: set.size };
}

/** Bounds of a message. */
export interface MessageLimits {
  /** Bytes of a message that is sent; at least 4,096, or 0: no bound. */
  readonly bytes: number;
  /** Ranges of a message that is received. */
  readonly ranges: number;
}

/** Receiver of the findings of the side that asks. */
interface Findings {
  /** Called for an own item that the other side lacks; the id is a view into the set. */
  have(id: Uint8Array): void;
  /** Called for an id of the other side that is missing here; a view into the message. */
  need(id: Uint8Array): void;
}

/**
 * Work on one received message: compares each of its ranges with the own items, and writes what the
 * other side needs to know next. `run` may be called again and again, so that a large message is
 * answered in slices of time.
 */
class Exchange {
  readonly #selection: Selection;
  readonly #limits: MessageLimits;
  readonly #reader: MessageReader;
  readonly #writer = new MessageWriter();
  readonly #sum = new IdSum();
  /** Given on the side that asks; the other one sends lists instead. */
  readonly #findings: Findings | undefined;
  /** Index of the first item that no range has covered yet. */
  #covered: number;
  #ranges = 0;
  #isFull = false;
  #isOtherVersion = false;

  constructor(
    selection: Selection,
    message: Uint8Array,
    limits: MessageLimits,
    findings?: Findings,
  ) {
    this.#selection = selection;
    this.#limits = limits;
    this.#findings = findings;
    this.#covered = selection.from;
    this.#reader = new MessageReader(message);
    this.#isOtherVersion = this.#reader.version() !== VERSION;
    if (this.#isOtherVersion && findings !== undefined)
      throw new MessageError('the other side does not know protocol version 1');
  }

  /** Number of ranges read so far. */
  get ranges(): number {
    return this.#ranges;
  }

  /** True if nothing but skips was answered: both sides are done. */
  get isDone(): boolean {
    return this.#writer.isEmpty;
  }

  /**
   * Works until `end` (`performance.now()`); returns the answer, or null if there is more to do.
   *
   * @throws MessageError
   */
  run(end: number): Buffer | null {
    // A message of another version is answered by the version byte alone.
    while (this.#reader.more && !this.#isFull && !this.#isOtherVersion) {
      if (++this.#ranges > this.#limits.ranges)
        throw new MessageError(`the message has more than ${this.#limits.ranges} ranges`);
      this.#range(this.#reader.range());
      if (performance.now() >= end && this.#reader.more && !this.#isFull) return null;
    }
    return this.#writer.finish();
  }

  #range(range: Range): void {
    const { set, from, to } = this.#selection;
    const lower = this.#covered;
    const upper = Math.min(Math.max(set.below(range.end), from, lower), to);
    this.#covered = upper;
    if (range.mode === SKIP) this.#writer.skip(range.end);
    else if (range.mode === FINGERPRINT) this.#compare(range, lower, upper);
    else if (this.#findings !== undefined) {
      find(set, lower, upper, range.ids, this.#findings);
      this.#writer.skip(range.end);
    } else this.#list(range.end, lower, upper);
    if (!this.#isFull && this.#room < 0) this.#finishWithRest(upper);
  }

  #compare({ end, fingerprint }: Range & { mode: 1 }, lower: number, upper: number): void {
    if (Buffer.compare(this.#fingerprint(lower, upper), fingerprint) === 0) this.#writer.skip(end);
    else this.#divide(end, lower, upper);
  }

  /** Writes the parts of a range that differs. */
  #divide(end: Bound, lower: number, upper: number): void {
    const { set } = this.#selection;
    const count = upper - lower;
    if (count < LIST_ITEMS) {
      this.#writeIds(end, lower, upper);
      return;
    }
    let at = lower;
    for (let part = 0; part < PARTS; part++) {
      const next = lower + Math.floor((count * (part + 1)) / PARTS);
      const partEnd = part === PARTS - 1 ? end : boundBetween(set.at(next - 1), set.at(next));
      this.#writer.fingerprint(partEnd, this.#fingerprint(at, next));
      at = next;
    }
  }

  /**
   * Writes the ids that this side has in a range. If they do not all fit into the message, it ends
   * with the fingerprint of the remaining items.
   */
  #list(end: Bound, lower: number, upper: number): void {
    const { set } = this.#selection;
    const room = Math.max(Math.floor(this.#room / ID_BYTES), 1);
    const cut = Math.min(lower + room, upper);
    const cutEnd = cut === upper ? end : boundBetween(set.at(cut - 1), set.at(cut));
    this.#writeIds(cutEnd, lower, cut);
    if (cut < upper) this.#finishWithRest(cut);
  }

  #writeIds(end: Bound, lower: number, upper: number): void {
    const { set } = this.#selection;
    this.#writer.idList(end, upper - lower, (target, at) => set.copyIds(lower, upper, target, at));
  }

  /** Ends a full message with the fingerprint of everything that is left. */
  #finishWithRest(from: number): void {
    this.#isFull = true;
    this.#writer.fingerprint(END, this.#fingerprint(from, this.#selection.to));
  }

  /** Bytes that may still be written before the last range. */
  get #room(): number {
    const { bytes } = this.#limits;
    return bytes === 0 ? Number.POSITIVE_INFINITY : bytes - RESERVED_BYTES - this.#writer.length;
  }

  #fingerprint(from: number, to: number): Buffer {
    this.#sum.clear();
    this.#selection.set.addTo(this.#sum, from, to);
    return this.#sum.fingerprint();
  }
}

/** Compares the ids of a list with the own items. */
function find(
  set: Items,
  lower: number,
  upper: number,
  theirs: readonly Uint8Array[],
  findings: Findings,
): void {
  const missing = new Map(theirs.map((id) => [keyOf(id), id]));
  for (let at = lower; at < upper; at++) {
    const { id } = set.at(at);
    if (!missing.delete(keyOf(id))) findings.have(id);
  }
  for (const id of missing.values()) findings.need(id);
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, ID_BYTES).toString('latin1');
}

/**
 * Answer to a message of the side that asks (NEG-OPEN, NEG-MSG). A message of another protocol
 * version is answered by the one byte 0x61.
 */
export class Reply {
  readonly #exchange: Exchange;

  /** @throws MessageError */
  constructor(selection: Selection, message: Uint8Array, limits: MessageLimits) {
    this.#exchange = new Exchange(selection, message, limits);
  }

  /** Number of ranges of the message that were compared so far. */
  get ranges(): number {
    return this.#exchange.ranges;
  }

  /**
   * Works until `end` (`performance.now()`); returns the answer, or null if there is more to do.
   *
   * @throws MessageError
   */
  run(end = Number.POSITIVE_INFINITY): Buffer | null {
    return this.#exchange.run(end);
  }
}

/** Side that asks: it learns which ids each side lacks. */
export class Inquiry {
  readonly #selection: Selection;
  readonly #limits: MessageLimits;
  readonly #findings: Findings;

  constructor(selection: Selection, limits: MessageLimits, findings: Findings) {
    this.#selection = selection;
    this.#limits = limits;
    this.#findings = findings;
  }

  /** Returns the first message. */
  begin(): Buffer {
    const all = new MessageWriter();
    // A fingerprint that no set has: everything differs.
    all.fingerprint(END, new Uint8Array(16));
    const exchange = new Exchange(this.#selection, all.finish(), this.#limits);
    return exchange.run(Number.POSITIVE_INFINITY) ?? Buffer.of(VERSION);
  }

  /**
   * Takes an answer; returns the next message, or null when nothing is left to ask.
   *
   * @throws MessageError
   */
  next(answer: Uint8Array): Buffer | null {
    const exchange = new Exchange(this.#selection, answer, this.#limits, this.#findings);
    const message = exchange.run(Number.POSITIVE_INFINITY);
    return exchange.isDone ? null : message;
  }
}
