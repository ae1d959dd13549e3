/**
 * A member of a `FairQueue`: how much of a resource it has used, in a unit of its owner's choice
 * (milliseconds of a thread). A member may be in one queue at a time.
 */
export class Share {
  /** Not to be changed while it is in a queue. */
  used = 0;
  /** Its place in the heap of its queue; -1: it is in none. */
  place = -1;
  /** Which of those that have used the same came first. */
  order = 0;
}

/**
 * A queue of which the member that has used least is taken first, so that a member that uses much
 * delays those that use little by no more than one turn, however many of the former there are
 * (start-time fair queueing, Goyal, Vin and Cheng 1996). A member that was not in the queue for a
 * while begins where the others are: what it did not use then is not owed to it.
 *
 * Adding and taking costs O(log n).
 */
export class FairQueue<Member extends Share> {
  readonly #heap: Member[] = [];
  /** What the member that was taken last had used. */
  #floor = 0;
  #orders = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Adds a member; one that is in the queue stays where it is. */
  add(member: Member): void {
    if (member.place >= 0) return;
    member.used = Math.max(member.used, this.#floor);
    member.order = this.#orders++;
    this.#heap.push(member);
    this.#up(this.#heap.length - 1, member);
  }

  /** Takes the member that has used least, or undefined if there is none. */
  take(): Member | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined) return undefined;
    const last = heap.pop()!;
    if (last !== first) this.#down(last);
    first.place = -1;
    this.#floor = first.used;
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
  return a.used < b.used || (a.used === b.used && a.order < b.order);
}
