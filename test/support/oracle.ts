// Reference model of the relay's storage rules, with which tests compare the real engine.

import type { NostrEvent } from '../../src/protocol/event.ts';

/** Filter as a client writes it. */
export interface RawFilter {
  ids?: string[];
  authors?: string[];
  kinds?: number[];
  since?: number;
  until?: number;
  limit?: number;
  [tag: `#${string}`]: string[];
}

/** Reason of the answer of `publish`. */
export type Reason = 'stored' | 'ephemeral' | 'duplicate' | 'older' | 'deleted' | 'expired';

/** Answer to a published event. */
export interface Verdict {
  ok: boolean;
  /** Machine-readable prefix of the OK message; empty if there is none. */
  prefix: string;
  reason: Reason;
}

/** Prefix of the OK message by reason. */
export const PREFIX_OF: Record<Reason, string> = {
  stored: '',
  ephemeral: '',
  duplicate: 'duplicate',
  older: 'duplicate',
  deleted: 'blocked',
  expired: 'invalid',
};

/** Authenticated keys of a connection; null if no kind is private. */
export type Readers = readonly string[] | null;

/** Number of stored events that one filter returns. */
export interface Limits {
  limitDefault: number;
  limitMax: number;
}

/**
 * Reference model of a relay, made of lists that are read from end to end. It implements the kind
 * ranges and order of NIP-01, deletion by NIP-09 and NIP-59, expiration by NIP-40, and the readers
 * of private messages (NIP-17, NIP-59). It shares no code with the engine that it checks, and
 * assumes that every event is well-formed and correctly signed.
 *
 * `now` (seconds) must not decrease from call to call. From the second of its expiration an event
 * counts as gone in every respect, whether purged or not: it is not sent, it does not block an
 * older version, and sending it again is rejected as expired.
 */
export class Oracle {
  #limits: Limits;
  #stored: NostrEvent[] = [];
  /** Deletion requests that were accepted; they stay in force if the request itself is gone. */
  #deletions: NostrEvent[] = [];
  /** Ids of ephemeral events that were passed on, each once. */
  #passed = new Set<string>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Publishes an event at time `now` (seconds) and returns the answer. */
  publish(event: NostrEvent, now: number): Verdict {
    this.#stored = this.#stored.filter((other) => !expired(other, now));
    if (expired(event, now)) return verdict(false, 'expired');
    if (this.#stored.some((other) => other.id === event.id)) return verdict(true, 'duplicate');
    if (this.#deletions.some((deletion) => deletes(deletion, event))) {
      return verdict(false, 'deleted');
    }
    if (ephemeral(event)) {
      if (this.#passed.has(event.id)) return verdict(true, 'duplicate');
      this.#passed.add(event.id);
      return verdict(true, 'ephemeral');
    }
    const address = addressText(event);
    if (address !== null) {
      const current = this.#stored.find((other) => addressText(other) === address);
      if (current !== undefined && newestFirst(current, event) < 0) return verdict(false, 'older');
      this.#stored = this.#stored.filter((other) => other !== current);
    }
    this.#stored.push(event);
    if (event.kind === 5) {
      this.#deletions.push(event);
      this.#stored = this.#stored.filter((other) => !deletes(event, other));
    }
    return verdict(true, 'stored');
  }

  /** Restarts the relay: the state that is not stored is lost. */
  restart(limits: Limits = this.#limits): void {
    this.#limits = limits;
    this.#passed.clear();
  }

  /**
   * Returns the events that a REQ with these filters gets before EOSE on a connection authenticated
   * as `readers`: newest first, lowest id first within a second.
   */
  query(filters: readonly RawFilter[], now: number, readers: Readers = null): NostrEvent[] {
    const found = filters.flatMap((filter) => this.#answer(filter, now, readers));
    return [...new Set(found)].sort(newestFirst);
  }

  /**
   * Returns the stored events, newest first, that an open subscription is sent when its connection
   * authenticates as all of `readers`, after its REQ was answered for the keys `before`.
   */
  heldBack(
    filters: readonly RawFilter[],
    now: number,
    before: readonly string[],
    readers: readonly string[],
  ): NostrEvent[] {
    const found = filters.flatMap((filter) =>
      this.#cut(
        filter,
        this.all(now).filter(
          (event) => mayRead(event, readers) && !mayRead(event, before) && matches(filter, event),
        ),
      ),
    );
    return [...new Set(found)].sort(newestFirst);
  }

  #answer(filter: RawFilter, now: number, readers: Readers): NostrEvent[] {
    return this.#cut(
      filter,
      this.all(now).filter((event) => mayRead(event, readers) && matches(filter, event)),
    );
  }

  /**
   * Applies the limit. A client's limit cuts anywhere. The relay's own limit is extended to the end
   * of a second, up to twice its size; if that is not enough, it cuts before that second, provided
   * that an event comes before it.
   */
  #cut({ limit }: RawFilter, found: NostrEvent[]): NostrEvent[] {
    const { limitDefault, limitMax } = this.#limits;
    if (limit !== undefined && limit <= limitMax) return found.slice(0, limit);
    const own = limit === undefined ? limitDefault : limitMax;
    const last = found[own - 1];
    if (last === undefined) return found;
    const whole = found.filter((event) => event.created_at >= last.created_at);
    if (whole.length <= Math.min(limit ?? Number.POSITIVE_INFINITY, 2 * own)) return whole;
    if (limit !== undefined && limit <= 2 * own) return found.slice(0, limit);
    const earlier = found.filter((event) => event.created_at > last.created_at);
    return earlier.length > 0 ? earlier : found.slice(0, own);
  }

  /** Returns the number of stored events that match at least one filter, regardless of limits. */
  count(filters: readonly RawFilter[], now: number, readers: Readers = null): number {
    return this.all(now).filter(
      (event) => mayRead(event, readers) && filters.some((filter) => matches(filter, event)),
    ).length;
  }

  /** Returns the events that a negentropy session of this filter compares, newest first. */
  compared(filter: RawFilter, now: number, readers: Readers = null): NostrEvent[] {
    const found = this.all(now).filter(
      (event) => mayRead(event, readers) && matches(filter, event),
    );
    return filter.limit === undefined ? found : found.slice(0, filter.limit);
  }

  /** Returns all events that are stored and not expired, newest first. */
  all(now: number): NostrEvent[] {
    return this.#stored.filter((event) => !expired(event, now)).sort(newestFirst);
  }
}

const PRIVATE_KINDS = [4, 1059, 21_059];

/** Returns true if an event is public, or one of the readers is a party to it (NIP-17, NIP-59). */
export function mayRead(event: NostrEvent, readers: Readers): boolean {
  if (readers === null || !PRIVATE_KINDS.includes(event.kind)) return true;
  return readers.some(
    (reader) =>
      (event.kind === 4 && event.pubkey === reader) ||
      event.tags.some((tag) => tag[0] === 'p' && tag[1] === reader),
  );
}

/** Returns the prefix with which a REQ or COUNT of these readers is rejected, or null. */
export function refusalOf(
  filters: readonly RawFilter[],
  readers: readonly string[],
): 'auth-required' | 'restricted' | null {
  const known = (values: readonly string[] | undefined) =>
    values === undefined || readers.some((reader) => values.includes(reader));
  for (const filter of filters) {
    const { kinds, authors, since = 0, until = Number.POSITIVE_INFINITY } = filter;
    const hopeless = since > until || Object.values(filter).some((one) => one?.length === 0);
    if (hopeless || !kinds?.every((kind) => PRIVATE_KINDS.includes(kind))) continue;
    if (readers.length === 0) return 'auth-required';
    if (!known(filter['#p']) && !(kinds.includes(4) && known(authors))) return 'restricted';
  }
  return null;
}

/** Returns true if the event meets every condition of a valid filter; `limit` is not one. */
export function matches(filter: RawFilter, event: NostrEvent): boolean {
  return Object.entries(filter).every(([key, value]) => {
    if (key === 'ids') return value.includes(event.id);
    if (key === 'authors') return value.includes(event.pubkey);
    if (key === 'kinds') return value.includes(event.kind);
    if (key === 'since') return event.created_at >= value;
    if (key === 'until') return event.created_at <= value;
    if (key === 'limit') return true;
    return event.tags.some(
      (tag) => `#${tag[0]}` === key && tag.length > 1 && value.includes(tag[1]),
    );
  });
}

/** Compares events for sorting: newest first, lowest id first within a second (NIP-01). */
export function newestFirst(a: NostrEvent, b: NostrEvent): number {
  if (a.created_at !== b.created_at) return b.created_at - a.created_at;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

/** Returns `kind:pubkey:d` of a replaceable or addressable event, null for others. */
export function addressText(event: NostrEvent): string | null {
  const { kind, pubkey, tags } = event;
  if (kind === 0 || kind === 3 || (kind >= 10000 && kind < 20000)) return `${kind}:${pubkey}:`;
  if (kind >= 30000 && kind < 40000) {
    return `${kind}:${pubkey}:${tags.find((tag) => tag[0] === 'd')?.[1] ?? ''}`;
  }
  return null;
}

/** Returns true if the deletion request names this event and its author may delete it. */
export function deletes(deletion: NostrEvent, event: NostrEvent): boolean {
  // Requests to delete or to vanish cannot be deleted (NIP-09, NIP-62).
  if (event.kind === 5 || event.kind === 62) return false;
  const byAuthor = deletion.pubkey === event.pubkey;
  const byRecipient =
    (event.kind === 1059 || event.kind === 21059) &&
    event.tags.some((tag) => tag[0] === 'p' && tag[1] === deletion.pubkey);
  const named = deletion.tags.some((tag) => tag[0] === 'e' && tag[1] === event.id);
  if (named && (byAuthor || byRecipient)) return true;
  const address = addressText(event);
  return (
    byAuthor &&
    address !== null &&
    event.created_at <= deletion.created_at &&
    deletion.tags.some((tag) => tag[0] === 'a' && tag[1] === address)
  );
}

function expired(event: NostrEvent, now: number): boolean {
  const value = event.tags.find((tag) => tag[0] === 'expiration')?.[1] ?? '';
  if (ephemeral(event) || !/^\d+$/.test(value) || Number(value) > 2 ** 53 - 1) return false;
  return Number(value) <= now;
}

function ephemeral(event: NostrEvent): boolean {
  return event.kind >= 20000 && event.kind < 30000;
}

function verdict(ok: boolean, reason: Reason): Verdict {
  return { ok, prefix: PREFIX_OF[reason], reason };
}
