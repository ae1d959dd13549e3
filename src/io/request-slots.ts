// Scheduling of management requests for the admin worker, owned by the main thread.

/** Stage of a request: its body arrives, it is complete and waits, the admin worker has it. */
type Stage = 'reading' | 'waiting' | 'asked';

/** Rank of a request without any known key or session; higher ranks go first. */
export const RANK_ANONYMOUS = 0;
/** Rank of an authorization by a key that may manage the relay; the signature is not checked. */
export const RANK_CLAIMED = 1;
/** Rank of a request with the cookie of a session that the relay has begun. */
export const RANK_SESSION = 2;

/** Request that is not answered yet. */
export interface SlotRequest {
  /** Name of its network: an IPv6 address counts by its /64. */
  readonly network: string;
  readonly rank: number;
  /** Bytes of its body so far. */
  bytes: number;
}

/** Bounds of requests in flight. */
export interface SlotBounds {
  /** Maximum of requests that the admin worker has; a quarter of them from one network. */
  readonly askedMax: number;
  /** Maximum of body bytes of all requests. */
  readonly bytesMax: number;
}

/** Maximum of requests that arrive or wait. */
const PENDING_MAX = 512;
/** Number of networks of which the time of the last turn is kept. */
const NETWORKS_MAX = 4_096;

/**
 * Scheduler of requests: selects the one that the admin worker gets next, and the one that is
 * dropped beyond the bounds. A request takes a slot when its body is complete, so slow senders hold
 * none. Next is the highest rank, then the network with the fewest requests at the worker, then the
 * one whose last turn is longest ago, then the newest: under a flood of ever new networks the
 * oldest are late anyway. Dropped is the lowest rank, of it the network
 * with most requests, of them the oldest. A flood of other requests therefore does not keep an
 * admin out.
 */
export class RequestSlots<Request extends SlotRequest> {
  bounds: SlotBounds;
  /** Stage of each request, in the order of their beginning. */
  readonly #stages = new Map<Request, Stage>();
  /** Number of the last turn by network, the network whose turn is longest ago first. */
  readonly #turns = new Map<string, number>();
  #turn = 0;
  #asked = 0;
  #bytes = 0;

  constructor(bounds: SlotBounds) {
    this.bounds = bounds;
  }

  /** Requests that are not answered yet. */
  get requests(): Request[] {
    return [...this.#stages.keys()];
  }

  /** Adds a request that has begun. */
  begin(request: Request): void {
    this.#stages.set(request, 'reading');
    this.#bytes += request.bytes;
  }

  has(request: Request): boolean {
    return this.#stages.has(request);
  }

  /** Counts `bytes` more of its body. */
  grow(request: Request, bytes: number): void {
    request.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Marks its body as complete. */
  complete(request: Request): void {
    this.#stages.set(request, 'waiting');
  }

  /** Removes a request that is answered or aborted; returns false if it was removed before. */
  end(request: Request): boolean {
    const stage = this.#stages.get(request);
    if (stage === undefined) return false;
    this.#stages.delete(request);
    this.#bytes -= request.bytes;
    if (stage === 'asked') this.#asked--;
    return true;
  }

  /** Returns the request that the admin worker gets next, now counted as its own, or null. */
  next(): Request | null {
    const { askedMax } = this.bounds;
    if (this.#asked >= askedMax) return null;
    const asked = this.#countBy('asked');
    let best: Request | null = null;
    for (const [request, stage] of this.#stages) {
      const own = asked.get(request.network) ?? 0;
      if (stage !== 'waiting' || own >= Math.ceil(askedMax / 4)) continue;
      const isWorse =
        best !== null &&
        (request.rank - best.rank ||
          (asked.get(best.network) ?? 0) - own ||
          this.#lastTurn(best) - this.#lastTurn(request)) < 0;
      if (!isWorse) best = request;
    }
    if (best === null) return null;
    this.#takesTurn(best);
    this.#stages.set(best, 'asked');
    this.#asked++;
    return best;
  }

  /** True if a request is complete and has no answer yet. */
  get isAnswering(): boolean {
    for (const stage of this.#stages.values()) if (stage !== 'reading') return true;
    return false;
  }

  /** Returns the number of the last turn of the network of a request; 0: it had none. */
  #lastTurn({ network }: Request): number {
    return this.#turns.get(network) ?? 0;
  }

  #takesTurn({ network }: Request): void {
    this.#turns.delete(network);
    this.#turns.set(network, ++this.#turn);
    if (this.#turns.size <= NETWORKS_MAX) return;
    for (const first of this.#turns.keys()) {
      this.#turns.delete(first);
      return;
    }
  }

  /** Returns a request to drop because there are too many, or null. The caller ends it. */
  surplus(): Request | null {
    const pending = this.#stages.size - this.#asked;
    if (pending === 0) return null;
    if (pending <= PENDING_MAX && this.#bytes <= this.bounds.bytesMax) return null;
    const candidates = this.requests.filter((one) => this.#stages.get(one) !== 'asked');
    const rank = Math.min(...candidates.map((one) => one.rank));
    const lowest = candidates.filter((one) => one.rank === rank);
    const counts = countNetworks(lowest);
    const most = Math.max(...counts.values());
    return lowest.find(({ network }) => counts.get(network) === most) ?? null;
  }

  #countBy(wanted: Stage): Map<string, number> {
    const those = [...this.#stages].filter(([, stage]) => stage === wanted);
    return countNetworks(those.map(([request]) => request));
  }
}

function countNetworks(requests: readonly SlotRequest[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { network } of requests) counts.set(network, (counts.get(network) ?? 0) + 1);
  return counts;
}
