// Record of published events and subscriptions over many connections, and the check that every
// subscription got stored and live events in a consistent order.

import type Database from 'better-sqlite3';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Client, type Message } from './client.ts';
import { matches, newestFirst, type RawFilter } from './oracle.ts';

/** Event that was published while subscriptions opened and ended. */
export interface Published {
  event: NostrEvent;
  /** Moments at which it was sent and its OK came, of one logical clock for all connections. */
  sentAt: number;
  okAt: number;
  /** Sequence number in the log; 0 for an ephemeral event. */
  seq: number;
}

/** Subscription from its REQ to its end, as its client saw it. */
export interface Watched {
  readonly reader: Reader;
  readonly subId: string;
  readonly filters: readonly RawFilter[];
  readonly sentAt: number;
  eoseAt: number;
  /** Moment at which a CLOSE or a REQ with the same id was sent; infinite if it stayed open. */
  endedAt: number;
  /** True if the relay has answered a later message than the end: no message may follow. */
  over: boolean;
  stored: NostrEvent[];
  live: NostrEvent[];
}

/**
 * Record of all that several connections sent and received, in the order seen by this process.
 * Every received message belongs to a subscription or is an expected OK; any other message is a
 * fault.
 */
export class History {
  readonly published = new Map<string, Published>();
  readonly watched: Watched[] = [];
  readonly faults: string[] = [];
  inFlight = 0;
  #moment = 0;

  now(): number {
    return ++this.#moment;
  }

  /** Sends an event on a connection whose answers go to `answered`. */
  publish(client: Client, event: NostrEvent): void {
    this.published.set(event.id, { event, sentAt: this.now(), okAt: 0, seq: 0 });
    this.inFlight++;
    client.send(['EVENT', event]);
  }

  answered([verb, id, accepted, text]: Message): boolean {
    const published = this.published.get(String(id));
    if (verb !== 'OK' || accepted !== true || text !== '' || !published || published.okAt !== 0) {
      this.faults.push(`unexpected answer ${JSON.stringify([verb, id, accepted, text])}`);
    } else {
      published.okAt = this.now();
    }
    this.inFlight--;
    return true;
  }

  /** Reads the sequence numbers of all stored events from the database. */
  number(db: Database.Database): void {
    const rows = db.prepare('SELECT seq, id FROM nostr_event').all();
    for (const { seq, id } of rows as { seq: number; id: string }[]) {
      const published = this.published.get(id);
      if (published) published.seq = seq;
      else this.faults.push(`a stored event that nobody published: ${id}`);
    }
  }
}

/** Connection that opens and ends subscriptions and keeps the messages of each. */
export class Reader {
  readonly client: Client;
  readonly #history: History;
  /** Subscriptions by id, in the order of their REQs. */
  readonly #bySubId = new Map<string, Watched[]>();

  private constructor(client: Client, history: History) {
    this.client = client;
    this.#history = history;
    client.tap = (message) => this.#take(message);
  }

  static async connect(url: string, history: History): Promise<Reader> {
    return new Reader(await Client.connect(url), history);
  }

  /** Subscriptions that are open, before or after EOSE. */
  get open(): Watched[] {
    return [...this.#bySubId.values()]
      .map((list) => list.at(-1)!)
      .filter(({ endedAt }) => endedAt === Number.POSITIVE_INFINITY);
  }

  /**
   * Sends a REQ. One that reuses an id must match other events than all earlier ones with this id,
   * and at least one stored event, because this tells its messages from theirs.
   */
  req(subId: string, ...filters: RawFilter[]): Watched {
    const list = this.#bySubId.get(subId) ?? [];
    const former = list.at(-1);
    const sentAt = this.#history.now();
    if (former && former.endedAt > sentAt) former.endedAt = sentAt;
    const watched: Watched = {
      reader: this,
      subId,
      filters,
      sentAt,
      eoseAt: 0,
      endedAt: Number.POSITIVE_INFINITY,
      over: false,
      stored: [],
      live: [],
    };
    list.push(watched);
    this.#bySubId.set(subId, list);
    this.#history.watched.push(watched);
    this.client.send(['REQ', subId, ...filters]);
    return watched;
  }

  close(watched: Watched): void {
    watched.endedAt = this.#history.now();
    this.client.send(['CLOSE', watched.subId]);
  }

  #take(message: Message): boolean {
    const [verb, subId, event] = message as [string, string, NostrEvent];
    const list = this.#bySubId.get(subId) ?? [];
    const at = list.findIndex((one) => {
      if (one.over) return false;
      if (verb === 'EOSE') return one.eoseAt === 0;
      return verb === 'EVENT' && matchesAny(one.filters, event);
    });
    const watched = list[at];
    if (!watched) {
      this.#history.faults.push(`nobody asked for ${JSON.stringify(message).slice(0, 300)}`);
      return true;
    }
    // A message for a later REQ proves that the former ones are over.
    for (const former of list.slice(0, at)) former.over = true;
    if (verb === 'EOSE') this.#eose(watched);
    else (watched.eoseAt === 0 ? watched.stored : watched.live).push(event);
    return true;
  }

  #eose(watched: Watched): void {
    watched.eoseAt = this.#history.now();
    for (const list of this.#bySubId.values()) {
      for (const one of list) if (one.endedAt <= watched.sentAt) one.over = true;
    }
  }
}

/**
 * Checker of subscriptions against all published events, once every event has its `seq`. A
 * subscription is correct if there is a place S in the log so that its stored events are those that
 * the filters choose up to S, and its live events are all that match after S, each once. S is not
 * before an event that was accepted before the REQ was sent, and is before every event that was
 * sent after EOSE came.
 */
export class Judge {
  /** Published events, newest first. */
  readonly #published: readonly Published[];
  readonly #place: ReadonlyMap<string, number>;

  constructor(published: Iterable<Published>) {
    this.#published = [...published].sort((a, b) => newestFirst(a.event, b.event));
    this.#place = new Map(this.#published.map(({ event, seq }) => [event.id, seq]));
  }

  /** Returns the fault of a subscription; null if it is correct. */
  fault(watched: Watched): string | null {
    const { filters, stored, live, eoseAt, endedAt } = watched;
    const got = new Set([...stored, ...live].map(({ id }) => id));
    if (got.size < stored.length + live.length) return 'an event came twice';
    if (stored.some(({ id }) => this.#place.get(id) === 0)) return 'an ephemeral event was stored';
    const ended = endedAt < Number.POSITIVE_INFINITY;
    if (!ended && eoseAt === 0) return 'EOSE did not come';
    const lists = filters.map((filter) => ({
      limit: filter.limit ?? Number.POSITIVE_INFINITY,
      fit: this.#published.filter(({ event }) => matches(filter, event)),
    }));
    const fit = [...new Set(lists.flatMap((list) => list.fit))];
    for (const { event, seq, sentAt } of fit) {
      const due = seq === 0 && !ended && sentAt > eoseAt;
      if (due && !got.has(event.id)) return `the ephemeral event ${event.id} did not come`;
    }
    const isExplained = this.#snapshots(watched, fit).some((snapshot) => {
      const chosen = choose(lists, snapshot);
      const prefix = eoseAt === 0 ? chosen.slice(0, stored.length) : chosen;
      if (idsOf(prefix) !== idsOf(stored)) return false;
      return ended || fit.every(({ event, seq }) => seq <= snapshot || got.has(event.id));
    });
    if (isExplained) return null;
    return `no snapshot explains ${stored.length} stored and ${live.length} live events`;
  }

  /** Returns the places in the log that the stored events may be a snapshot of, ascending. */
  #snapshots({ sentAt, eoseAt, live }: Watched, fit: readonly Published[]): number[] {
    const log = fit.filter(({ seq }) => seq > 0);
    const before = log.filter(({ okAt }) => okAt < sentAt);
    const after = eoseAt === 0 ? [] : log.filter((one) => one.sentAt > eoseAt);
    const first = Math.max(0, ...before.map(({ seq }) => seq));
    const end = Math.min(
      ...after.map(({ seq }) => seq),
      ...live.map(({ id }) => this.#place.get(id) || Number.POSITIVE_INFINITY),
    );
    const places = log.map(({ seq }) => seq).filter((seq) => seq > first && seq < end);
    // Ascending, because the place that explains the answer is most often near the first.
    return first < end ? [first, ...places.sort((a, b) => a - b)] : [];
  }
}

/**
 * Returns the events that filters choose of the log up to a place, newest first, given the matching
 * events of each filter in that order.
 */
function choose(
  lists: readonly { limit: number; fit: readonly Published[] }[],
  snapshot: number,
): NostrEvent[] {
  const chosen = lists.flatMap(({ limit, fit }) =>
    fit.filter(({ seq }) => seq > 0 && seq <= snapshot).slice(0, limit),
  );
  return [...new Set(chosen)].map(({ event }) => event).sort(newestFirst);
}

function matchesAny(filters: readonly RawFilter[], event: NostrEvent): boolean {
  return filters.some((filter) => matches(filter, event));
}

function idsOf(events: readonly NostrEvent[]): string {
  return events.map(({ id }) => id).join();
}
