/**
 * A member of a `FairQueue`: how much of a resource it has used, in a unit of its owner's choice. A member may be in one queue at a time.
 */
export class Share {
  /** Not to be changed while it is in a queue. */
  used = 0;
  /** What it will have used after its next turn, as expected when it was added. */
  finish = 0;
  /** Its place in the heap of its queue; -1: it is in none. */
  place = -1;
  /** Which of those that have used the same came first. */
  order = 0;
}

/**
 * A queue of which the member is taken first that will have used least after its next turn, so that a
 * member that uses much delays those that use little by no more than one turn, however many of the
 * former there are (weighted fair queueing, Demers, Keshav and Shenker 1989, with the virtual time of
 * start-time fair queueing, Goyal, Vin and Cheng 1996). A member that was not in the queue for a while
 * begins where the others are: what it did not use then is not owed to it.
 *
 * Adding and taking costs O(log n).
 */
export class FairQueue<Member extends Share> {
  readonly #heap: Member[] = [];
  /** The most that a member had used when it was taken. */
  #floor = 0;
  #orders = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** What a member that is added now has used at least. */
  get floor(): number {
    return this.#floor;
  }

  /** The member that is taken next; undefined if there is none. */
  get first(): Member | undefined {
    return this.#heap[0];
  }

  /**
   * Adds a member; one that is in the queue stays where it is, or comes earlier if less is expected now.
   *
   * @param expected what its next turn is expected to use.
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

  /** Takes the member that will have used least, or undefined if there is none. */
  take(): Member | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined) return undefined;
    const last = heap.pop()!;
    if (last !== first) this.#down(last);
    first.place = -1;
    this.#floor = Math.max(this.#floor, first.used);
    return first;
  }

  #up(from: number, member: Member): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(member, heap[parent]!)) break;
      this.#put(at, heap[parent]!);
      at = parent;
    }
    this.#put(at, member);
  }

  /** Finds the place of a member from the top on. */
  #down(member: Member): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, member)) break;
      this.#put(at, heap[child]!);
      at = child;
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
