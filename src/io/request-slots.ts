/** How far a request has come: its body arrives, it is whole and waits, the admin worker has it. */
type Stage = 'reading' | 'waiting' | 'asked';

/** How much is known of who asks; higher goes first. */
export const RANK_STRANGER = 0;
/** The authorization names a key that may manage the relay; its signature is not checked. */
export const RANK_CLAIMED = 1;
/** The cookie is one of a session that the relay has begun. */
export const RANK_SESSION = 2;

/** A request that is not answered yet. */
export interface SlotRequest {
  /** Under what name its address counts: an IPv6 address by its /64. */
  readonly network: string;
  readonly rank: number;
  /** Of its body, so far. */
  bytes: number;
}

/** What is under way at once. */
export interface SlotBounds {
  /** Requests that the admin worker has; a quarter of them from one network. */
  readonly askedMax: number;
  /** Body bytes of all requests. */
  readonly bytesMax: number;
}

/** Requests that arrive or wait. */
const PENDING_MAX = 512;

/**
 * Decides which of many requests the admin worker gets next, and which has to go when there are too
 * many. A request takes a slot when its body is there, so slow senders hold none. Next is the
 * highest rank, then the network of which the worker has fewest, then the newest: under a flood the
 * oldest are late anyway. What has to go is of the lowest rank, of the network that has most of those, and the
 * oldest. So an admin is not kept out by what others send.
 */
export class RequestSlots<Request extends SlotRequest> {
  bounds: SlotBounds;
  /** In the order of their beginning. */
  readonly #stages = new Map<Request, Stage>();
  #asked = 0;
  #bytes = 0;

  constructor(bounds: SlotBounds) {
    this.bounds = bounds;
  }

  /** Requests that are not answered yet. */
  get requests(): Request[] {
    return [...this.#stages.keys()];
  }

  /** A request has begun. */
  begin(request: Request): void {
    this.#stages.set(request, 'reading');
    this.#bytes += request.bytes;
  }

  has(request: Request): boolean {
    return this.#stages.has(request);
  }

  /** So many bytes more of its body have arrived. */
  grow(request: Request, bytes: number): void {
    request.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Its body is whole. */
  complete(request: Request): void {
    this.#stages.set(request, 'waiting');
  }

  /** It is answered or gone; false when it was before. */
  end(request: Request): boolean {
    const stage = this.#stages.get(request);
    if (stage === undefined) return false;
    this.#stages.delete(request);
    this.#bytes -= request.bytes;
    if (stage === 'asked') this.#asked--;
    return true;
  }

  /** The request that the admin worker gets next, if it may have one more. */
  next(): Request | null {
    const { askedMax } = this.bounds;
    if (this.#asked >= askedMax) return null;
    const asked = this.#countBy('asked');
    let best: Request | null = null;
    for (const [request, stage] of this.#stages) {
      const own = asked.get(request.network) ?? 0;
      if (stage !== 'waiting' || own >= Math.ceil(askedMax / 4)) continue;
      const isWorse =
        best !== null && (request.rank - best.rank || (asked.get(best.network) ?? 0) - own) < 0;
      if (!isWorse) best = request;
    }
    if (best === null) return null;
    this.#stages.set(best, 'asked');
    this.#asked++;
    return best;
  }

  /** A request that has to go because there are too many, or null. The caller ends it. */
  surplus(): Request | null {
    const pending = this.#stages.size - this.#asked;
    if (pending === 0) return null;
    if (pending <= PENDING_MAX && this.#bytes <= this.bounds.bytesMax) return null;
    const candidates = this.requests.filter((one) => this.#stages.get(one) !== 'asked');
    const rank = Math.min(...candidates.map((one) => one.rank));
    const lowest = candidates.filter((one) => one.rank === rank);
    const counts = countNetworks(lowest);
    const most = Math.max(...counts.values());
    return lowest.find(({ network }) => counts.get(network) === most)!;
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
