// Weighted fair queue over a binary heap. An instance belongs to the thread that made it.

import { element } from './assert.ts';

/**
 * Member of a `FairQueue`: the amount of a resource that it has used, in a unit of the owner's
 * choice. A member is in one queue at a time.
 */
export class Share {
  /** Amount used so far; must not change while the member is in a queue. */
  used = 0;
  /** Amount that it will have used after its next turn, as expected when it was added. */
  finish = 0;
  /** Index in the heap of its queue; -1 if it is in none. */
  place = -1;
  /** Order of insertion; breaks ties between members with equal `finish`. */
  order = 0;
}

/**
 * Priority queue that returns the member that will have used least after its next turn. Members
 * with large use therefore delay a member with small use by at most one turn, however many they are
 * (weighted fair queueing, Demers, Keshav and Shenker 1989, with the virtual time of start-time
 * fair queueing, Goyal, Vin and Cheng 1996). A member that was not in the queue for a while starts
 * at the level of the others: time in which it used nothing earns no credit.
 *
 * Adding and taking costs O(log n).
 */
export class FairQueue<Member extends Share> {
  readonly #heap: Member[] = [];
  /** Largest amount that a member had used when it was taken. */
  #floor = 0;
  #orders = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Minimum of used amount that a member added now starts with. */
  get floor(): number {
    return this.#floor;
  }

  /** Member that is taken next; undefined if the queue is empty. */
  get first(): Member | undefined {
    return this.#heap[0];
  }

  /**
   * Adds a member. A member that is in the queue already keeps its position, or moves forward if
   * less is expected now.
   *
   * @param expected amount that its next turn is expected to use.
   */
  add(member: Member, expected = 0): void {
    if (member.place >= 0) {
      if (member.used + expected >= member.finish) return;
      member.finish = member.used + expected;
      this.#up(member.place, member);
      return;
    }
    member.used = Math.max(member.used, this.#floor);
    member.finish = member.used + expected;
    member.order = this.#orders++;
    this.#heap.push(member);
    this.#up(this.#heap.length - 1, member);
  }

  /** Removes and returns the member that will have used least; undefined if the queue is empty. */
  take(): Member | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined) return undefined;
    const last = heap.pop();
    if (last !== undefined && last !== first) this.#down(last);
    first.place = -1;
    this.#floor = Math.max(this.#floor, first.used);
    return first;
  }

  #up(from: number, member: Member): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const place = (at - 1) >> 1;
      const parent = element(heap[place]);
      if (!isBefore(member, parent)) break;
      this.#put(at, parent);
      at = place;
    }
    this.#put(at, member);
  }

  /** Sifts a member down from the top of the heap. */
  #down(member: Member): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const left = heap[at * 2 + 1];
      if (left === undefined) break;
      const right = heap[at * 2 + 2];
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, member)) break;
      this.#put(at, child);
      at = at * 2 + (isRight ? 2 : 1);
    }
    this.#put(at, member);
  }

  #put(at: number, member: Member): void {
    this.#heap[at] = member;
    member.place = at;
  }
}

function isBefore(a: Share, b: Share): boolean {
  return a.finish < b.finish || (a.finish === b.finish && a.order < b.order);
}
