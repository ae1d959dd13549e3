// Another relay that the own one exchanges events with for as long as it runs.

import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../lib/clock.ts';
import { RecentIds } from '../lib/recent-ids.ts';
import type { PeerCounts, PeerStatus } from '../messages/admin-peers.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { type Filter, filterJson } from '../protocol/filter.ts';
import { isReadFailure } from '../store/database/error.ts';
import { BackOff } from './back-off.ts';
import type { PeerCursors } from './cursors.ts';
import { fetchAll } from './fetch-all.ts';
import { FRAME_BYTES } from './frame-bytes.ts';
import { type Gate, type Gates, passOn } from './live-link.ts';
import type { LocalRelay } from './local-relay.ts';
import type { LocalEvents } from './local-set.ts';
import { PeerError, RateError } from './peer-error.ts';
import { LOCAL_WINDOW, Publisher, REMOTE_WINDOW } from './publisher.ts';
import { type ConnectionOptions, type PublishResult, RelayConnection } from './relay-connection.ts';
import { synchronize, type Throttles } from './synchronize.ts';
import { TransferTally } from './tally.ts';

/** Age of events that may reach a relay late: a repair begins so much before the interruption. */
const LATE_SECONDS = 3_600;
/** Longest time of a timer of Node.js. */
const TIMER_MAX = 2 ** 31 - 1;
/** Refusals of a comparison that are over soon, and how often and when it is tried again. */
const FOR_NOW = /^(?:closed|rate-limited|error):/;
const ATTEMPTS = 6;
const ATTEMPT_MILLISECONDS = 500;
/** Ids of passed events to know when they come back, a moment later; and ids of refused ones. */
const PASSED_IDS = 20_000;
const REFUSED_IDS = 60_000;
/** Number of reasons of refusals in a status. */
const REASONS_SHOWN = 10;
const accept: Gate = () => true;

/** Description of a peer. */
export interface PeerOptions {
  /** Name in log lines. */
  readonly name: string;
  readonly url: string;
  readonly direction: 'both' | 'down' | 'up';
  readonly filters: readonly Filter[];
  /** Returns the options of a new connection. @throws PeerError */
  readonly connection: () => Promise<ConnectionOptions>;
  /**
   * Repair by negentropy after each connection: of the time without one (`gap`, which is everything
   * for a new peer), or none.
   */
  readonly repair: 'gap' | 'off';
  /** Interval of comparisons of everything, in seconds; 0: none. */
  readonly repairSeconds: number;
  /** Plugins that are asked about the events of each direction. */
  readonly gates?: Gates | undefined;
  /** Rates of each direction. */
  readonly throttles?: Throttles | undefined;
}

/** Own side of a peer. */
export interface OwnSide {
  readonly relay: LocalRelay;
  readonly events: LocalEvents;
  readonly cursors: PeerCursors;
}

/** Receiver of what happens with a peer. */
export interface PeerLog {
  info(text: string, facts?: Record<string, unknown>): void;
  warn(text: string, facts?: Record<string, unknown>): void;
}

/** Connections to both relays, and the signal that ends with them. */
interface Link {
  readonly remote: RelayConnection;
  readonly local: RelayConnection;
  readonly signal: AbortSignal;
}

/**
 * Peer: another relay that live events are exchanged with, and whose gaps are repaired. While it
 * cannot be reached, it is tried again and again (`BackOff`).
 */
export class Peer {
  /** Number of connections that failed or ended. */
  failures = 0;
  /** Events since the start, live ones and those of repairs. */
  readonly down = new TransferTally();
  readonly up = new TransferTally();
  readonly #options: PeerOptions;
  readonly #own: OwnSide;
  readonly #log: PeerLog;
  /** Events that came from the peer, and that went there. */
  readonly #came = new RecentIds(PASSED_IDS);
  readonly #went = new RecentIds(PASSED_IDS);
  /** Events that one side refuses for good, so that no repair offers them again. */
  readonly #refusedHere = new RecentIds(REFUSED_IDS);
  readonly #refusedThere = new RecentIds(REFUSED_IDS);
  readonly #backOff = new BackOff();
  #state: PeerStatus['state'] = 'connecting';
  #since = systemClock.seconds();
  #failure = '';
  /** Time up to which all events are exchanged, while the connection is not live and repaired. */
  #exchangedUntil: number;
  #isRepaired = false;
  #comparedAt: number | null = null;
  #missingHere = 0;
  #missingThere = 0;

  constructor(options: PeerOptions, own: OwnSide, log: PeerLog) {
    this.#options = options;
    this.#own = own;
    this.#log = log;
    this.#exchangedUntil = own.cursors.of(this.#key) ?? this.#since;
  }

  /** Current state and counts. */
  get status(): PeerStatus {
    const { name, url, direction } = this.#options;
    const isExchanged = this.#state === 'live' && this.#isRepaired;
    return {
      name,
      url,
      direction,
      state: this.#state,
      since: this.#since,
      failure: this.#failure,
      lagSeconds: isExchanged ? 0 : Math.max(systemClock.seconds() - this.#exchangedUntil, 0),
      comparedAt: this.#comparedAt,
      missingHere: this.#missingHere,
      missingThere: this.#missingThere,
      down: countsOf(this.down),
      up: countsOf(this.up),
    };
  }

  #enter(state: PeerStatus['state']): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#since = systemClock.seconds();
  }

  get name(): string {
    return this.#options.name;
  }

  /** Exchanges events until `signal` is aborted; never rejects with a PeerError. */
  async run(signal: AbortSignal): Promise<void> {
    const { name, url } = this.#options;
    while (!signal.aborted) {
      let connectedAt = 0;
      let failure: PeerError;
      this.#enter('connecting');
      try {
        return await this.#exchange(signal, () => {
          connectedAt = performance.now();
        });
      } catch (error) {
        if (signal.aborted) return;
        failure = failureOf(error);
      }
      const { throttles } = this.#options;
      const pause = Math.max(
        this.#backOff.after(connectedAt === 0 ? 0 : performance.now() - connectedAt),
        throttles?.down.usefulMilliseconds ?? 0,
        throttles?.up.usefulMilliseconds ?? 0,
      );
      this.#enter('waiting');
      this.failures++;
      this.#failure = failure.message;
      this.#log.warn(`peer ${name}: ${failure.message}`, {
        url,
        nextAttemptSeconds: Math.round(pause / 1000),
      });
      await delay(pause, undefined, { signal }).catch(() => {});
    }
  }

  /** Connects, passes live events on, and repairs what was missed; ends with a rejection. */
  async #exchange(signal: AbortSignal, connected: () => void): Promise<never> {
    const { name, url, connection, direction } = this.#options;
    const remote = await RelayConnection.open(url, { ...(await connection()), signal });
    let local: RelayConnection | null = null;
    let feed: RelayConnection | null = null;
    /** Ends the repairs with the connection. */
    const over = new AbortController();
    try {
      connected();
      local = await this.#own.relay.connect('stream', url);
      // Apart from `local`, whose OKs must arrive while this one is not read: with one connection
      // for both, and both relays waiting for the other's OKs, neither link would ever go on.
      if (direction !== 'down') feed = await this.#own.relay.connect('stream', url);
      remote.onNotice = (text) => this.#log.info(`peer ${name} says: ${text}`, { url });
      const since = systemClock.seconds();
      const links: Promise<never>[] = [];
      const begun: Promise<void>[] = [];
      const begin = (pass: (begun: () => void) => Promise<never>) => {
        begun.push(new Promise((resolve) => links.push(pass(resolve))));
      };
      const [to, from] = [local, feed];
      if (direction !== 'up') begin((done) => this.#passDown(remote, to, done));
      if (from !== null) begin((done) => this.#passUp(from, remote, done));
      this.#enter('live');
      this.#log.info(`peer ${name}: connected`, { url });
      const link = { remote, local, signal: AbortSignal.any([signal, over.signal]) };
      // Else an event could be too new for the comparison, and too old for the live links.
      links.push(Promise.all(begun).then(() => this.#repairs(link, since)));
      return await Promise.race(links);
    } finally {
      this.#ended();
      over.abort();
      local?.close();
      feed?.close();
      remote.close();
    }
  }

  /** Keeps the time up to which everything was exchanged, when a repaired connection ends. */
  #ended(): void {
    if (!this.#isRepaired) return;
    this.#isRepaired = false;
    this.#exchangedUntil = systemClock.seconds();
    if (this.#options.repair === 'gap') this.#own.cursors.set(this.#key, this.#exchangedUntil);
  }

  #passDown(remote: RelayConnection, local: RelayConnection, begun: () => void): Promise<never> {
    return passOn(remote, local, {
      filters: this.#options.filters,
      window: LOCAL_WINDOW,
      tally: this.down,
      came: this.#went,
      went: this.#came,
      gate: this.#options.gates?.down ?? accept,
      refused: this.#refusedHere,
      throttle: this.#options.throttles?.down ?? null,
      begun,
    });
  }

  #passUp(local: RelayConnection, remote: RelayConnection, begun: () => void): Promise<never> {
    return passOn(local, remote, {
      filters: this.#options.filters,
      window: REMOTE_WINDOW,
      tally: this.up,
      came: this.#came,
      went: this.#went,
      gate: this.#options.gates?.up ?? accept,
      refused: this.#refusedThere,
      throttle: this.#options.throttles?.up ?? null,
      begun,
    });
  }

  /** Repairs the gap before `since`, and everything at intervals, while the connection lasts. */
  async #repairs(link: Link, since: number): Promise<never> {
    const { repair, repairSeconds } = this.#options;
    if (repair === 'gap') await this.#tryRepair(link, this.#gap(), since);
    this.#isRepaired = true;
    for (;;) {
      const pause = repairSeconds === 0 ? TIMER_MAX : Math.min(repairSeconds * 1000, TIMER_MAX);
      await delay(pause, undefined, { signal: link.signal });
      if (repairSeconds > 0) await this.#tryRepair(link, null, systemClock.seconds());
    }
  }

  /**
   * Repairs by a comparison. From a relay that cannot be compared (it does not know NIP-77), the
   * events since the gap began are fetched by REQ, if events come down at all.
   */
  async #tryRepair(link: Link, from: number | null, until: number): Promise<void> {
    const { remote, local } = link;
    const { name, url, direction } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#repair(link, from, until);
        return;
      } catch (error) {
        const isOfRelay = error instanceof PeerError && !(error instanceof RateError);
        if (!isOfRelay || !remote.isOpen || !local.isOpen) throw error;
        this.#log.warn(`peer ${name}: cannot be compared: ${error.message}`, { url, attempt });
        if (attempt < ATTEMPTS && FOR_NOW.test(error.message)) {
          await delay(ATTEMPT_MILLISECONDS * 2 ** (attempt - 1), undefined, {
            signal: link.signal,
          });
          continue;
        }
        if (direction !== 'up') await this.#fetch(link, from ?? until - LATE_SECONDS);
        return;
      }
    }
  }

  /** Fetches the events since a time by REQ. */
  async #fetch({ remote, local }: Link, since: number): Promise<void> {
    const { name, url, filters, gates, throttles } = this.#options;
    const result = (_id: string, answer: PublishResult) => this.down.take(answer);
    const handlers = { sent: this.down.sent, result };
    const publisher = new Publisher(local, LOCAL_WINDOW, handlers, throttles?.down);
    let fetched = 0;
    const take = async (event: NostrEvent, json: string) => {
      if (gates?.down !== undefined && !(await gates.down(event, json))) return;
      fetched++;
      await publisher.room();
      publisher.add(event.id, json);
    };
    for (const filter of filters) {
      const part = { ...filter, since: Math.max(since, filter.since ?? 0) };
      await fetchAll(remote, filterJson(part), take, () => {});
    }
    await publisher.drained();
    this.#log.info(`peer ${name}: fetched`, { url, events: fetched });
  }

  /** Returns the time from which events may be missing; null: any may. */
  #gap(): number | null {
    const known = this.#own.cursors.of(this.#key);
    return known === undefined ? null : Math.max(known - LATE_SECONDS, 0);
  }

  /** Key of the cursor: a filter may have thousands of authors, so it is hashed. */
  get #key(): string {
    const { url, direction, filters } = this.#options;
    const conditions = JSON.stringify(filters.map(filterJson));
    const hash = createHash('sha256').update(conditions).digest('hex').slice(0, 16);
    return `${direction} ${url} ${hash}`;
  }

  async #repair(
    { remote, local, signal }: Link,
    from: number | null,
    until: number,
  ): Promise<void> {
    const { name, url, direction, filters, gates, throttles } = this.#options;
    let missingHere = 0;
    let missingThere = 0;
    for (const filter of filters) {
      const since = Math.max(filter.since ?? 0, from ?? 0);
      const part = { ...filter, since: since === 0 ? null : since, limit: null };
      const report = await synchronize(
        { local, remote, events: this.#own.events, filter: part },
        {
          direction,
          frameBytes: FRAME_BYTES,
          signal,
          progress: () => {},
          refused: { here: this.#refusedHere, there: this.#refusedThere },
          gates,
          throttles,
          tallies: { down: this.down, up: this.up },
          compared: (here, there) => {
            missingHere += here;
            missingThere += there;
          },
        },
      );
      this.#log.info(`peer ${name}: compared`, {
        url,
        missingHere: report.need.size,
        missingThere: report.have.size,
      });
    }
    this.#comparedAt = systemClock.seconds();
    this.#missingHere = missingHere;
    this.#missingThere = missingThere;
    this.#own.cursors.set(this.#key, until);
  }
}

/** Returns the failure of an exchange that is tried again. @throws any other error. */
function failureOf(error: unknown): PeerError {
  if (error instanceof PeerError) return error;
  if (!isReadFailure(error)) throw error;
  return new PeerError(`the own database cannot be read: ${(error as Error).message}`);
}

function countsOf({ stored, known, refused, bytes, reasons }: TransferTally): PeerCounts {
  return { stored, known, refused, bytes, reasons: reasons.slice(0, REASONS_SHOWN) };
}
