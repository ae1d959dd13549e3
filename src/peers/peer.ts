// Another relay that the own one exchanges events with for as long as it runs.

import { setTimeout as delay } from 'node:timers/promises';
import { type Filter, filterJson } from '../protocol/filter.ts';
import { BackOff } from './back-off.ts';
import type { PeerCursors } from './cursors.ts';
import { fetchAll } from './fetch-all.ts';
import { type Gate, type Gates, type LiveFilter, passOn } from './live-link.ts';
import type { LocalRelay } from './local-relay.ts';
import type { LocalEvents } from './local-set.ts';
import { PeerError } from './peer-error.ts';
import { Publisher } from './publisher.ts';
import { RecentIds } from './recent-ids.ts';
import { type ConnectionOptions, RelayConnection } from './relay-connection.ts';
import { synchronize } from './synchronize.ts';
import { TransferTally } from './tally.ts';

const LOCAL_WINDOW = { events: 1_000, bytes: 1024 * 1024 };
const REMOTE_WINDOW = { events: 100, bytes: 512 * 1024 };
/** Age of events that may reach a relay late: a repair begins so much before the interruption. */
const LATE_SECONDS = 3_600;
const FRAME_BYTES = 60_000;
/** Longest time of a timer of Node.js. */
const TIMER_MAX = 2 ** 31 - 1;
const accept: Gate = () => true;

/** Description of a peer. */
export interface PeerOptions {
  /** Name in log lines. */
  readonly name: string;
  readonly url: string;
  readonly direction: 'both' | 'down' | 'up';
  readonly filters: readonly Filter[];
  readonly connection: ConnectionOptions;
  /**
   * Repair by negentropy after each connection: of the time without one (`gap`, which is everything
   * for a new peer), or none.
   */
  readonly repair: 'gap' | 'off';
  /** Interval of comparisons of everything, in seconds; 0: none. */
  readonly repairSeconds: number;
  /** Plugins that are asked about the events of each direction. */
  readonly gates?: Gates | undefined;
}

/** Own side of a peer. */
export interface OwnSide {
  readonly relay: LocalRelay;
  readonly events: LocalEvents;
  readonly cursors: PeerCursors;
}

/** State of a peer. */
export type PeerState = 'connecting' | 'live' | 'waiting';

/** Receiver of what happens with a peer. */
export interface PeerLog {
  info(text: string, facts?: Record<string, unknown>): void;
  warn(text: string, facts?: Record<string, unknown>): void;
}

/**
 * Peer: another relay that live events are exchanged with, and whose gaps are repaired. While it
 * cannot be reached, it is tried again and again (`BackOff`).
 */
export class Peer {
  state: PeerState = 'connecting';
  /** Last failure; '' if there was none. */
  lastError = '';
  /** Events since the start, live ones and those of repairs. */
  readonly down = new TransferTally();
  readonly up = new TransferTally();
  readonly #options: PeerOptions;
  readonly #own: OwnSide;
  readonly #log: PeerLog;
  readonly #filters: readonly LiveFilter[];
  /** Events that came from the peer, and that went there. */
  readonly #came = new RecentIds();
  readonly #went = new RecentIds();
  /** Events that one side refuses for good, so that no repair offers them again. */
  readonly #refusedHere = new RecentIds();
  readonly #refusedThere = new RecentIds();
  readonly #backOff = new BackOff();

  constructor(options: PeerOptions, own: OwnSide, log: PeerLog) {
    this.#options = options;
    this.#own = own;
    this.#log = log;
    this.#filters = options.filters.map((filter) => ({ filter, json: filterJson(filter) }));
  }

  get name(): string {
    return this.#options.name;
  }

  get url(): string {
    return this.#options.url;
  }

  /** Exchanges events until `signal` is aborted; never rejects with a PeerError. */
  async run(signal: AbortSignal): Promise<void> {
    const { name, url } = this.#options;
    while (!signal.aborted) {
      let connectedAt = 0;
      this.state = 'connecting';
      try {
        await this.#exchange(signal, () => {
          connectedAt = performance.now();
        });
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof PeerError)) throw error;
        this.lastError = error.message;
      }
      const pause = this.#backOff.after(connectedAt === 0 ? 0 : performance.now() - connectedAt);
      this.state = 'waiting';
      this.#log.warn(`peer ${name}: ${this.lastError}`, {
        url,
        nextAttemptSeconds: Math.round(pause / 1000),
      });
      await delay(pause, undefined, { signal }).catch(() => {});
    }
  }

  /** Connects, passes live events on, and repairs what was missed; ends with a rejection. */
  async #exchange(signal: AbortSignal, connected: () => void): Promise<never> {
    const { name, url, connection, direction } = this.#options;
    const remote = await RelayConnection.open(url, { ...connection, signal });
    let local: RelayConnection | null = null;
    try {
      connected();
      local = await this.#own.relay.connect('stream', url);
      remote.onNotice = (text) => this.#log.info(`peer ${name} says: ${text}`, { url });
      const since = Math.floor(Date.now() / 1000);
      const links: Promise<never>[] = [this.#interruption(signal)];
      if (direction !== 'up') links.push(this.#passDown(remote, local));
      if (direction !== 'down') links.push(this.#passUp(local, remote));
      this.state = 'live';
      this.#log.info(`peer ${name}: connected`, { url });
      links.push(this.#repairs(remote, local, since, signal));
      return await Promise.race(links);
    } finally {
      local?.close();
      remote.close();
    }
  }

  #passDown(remote: RelayConnection, local: RelayConnection): Promise<never> {
    return passOn(remote, local, {
      filters: this.#filters,
      window: LOCAL_WINDOW,
      tally: this.down,
      came: this.#went,
      went: this.#came,
      gate: this.#options.gates?.down ?? accept,
      refused: (id) => this.#refusedHere.add(id),
      answered: () => {},
    });
  }

  #passUp(local: RelayConnection, remote: RelayConnection): Promise<never> {
    return passOn(local, remote, {
      filters: this.#filters,
      window: REMOTE_WINDOW,
      tally: this.up,
      came: this.#came,
      went: this.#went,
      gate: this.#options.gates?.up ?? accept,
      refused: (id, why) => {
        if (!why.startsWith('rate-limited:')) this.#refusedThere.add(id);
      },
      answered: () => {},
    });
  }

  async #interruption(signal: AbortSignal): Promise<never> {
    return new Promise((_, reject) => {
      const stop = () => reject(new PeerError('stopped'));
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  /** Repairs the gap before `since`, and everything at intervals, while the connection lasts. */
  async #repairs(
    remote: RelayConnection,
    local: RelayConnection,
    since: number,
    signal: AbortSignal,
  ): Promise<never> {
    const { repair, repairSeconds } = this.#options;
    if (repair === 'gap') await this.#tryRepair(remote, local, this.#gap(), since, signal);
    for (;;) {
      const pause = repairSeconds === 0 ? TIMER_MAX : Math.min(repairSeconds * 1000, TIMER_MAX);
      await delay(pause, undefined, { signal });
      const now = Math.floor(Date.now() / 1000);
      if (repairSeconds > 0) await this.#tryRepair(remote, local, null, now, signal);
    }
  }

  /**
   * Repairs as far as the other relay allows: one that cannot be compared (NIP-77) is asked for the
   * events since the gap began, which are all that it may have if they are to come down.
   */
  async #tryRepair(
    remote: RelayConnection,
    local: RelayConnection,
    from: number | null,
    until: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, url, direction } = this.#options;
    try {
      await this.#repair(remote, local, from, until, signal);
    } catch (error) {
      if (!(error instanceof PeerError) || !remote.isOpen || !local.isOpen) throw error;
      this.#log.warn(`peer ${name}: cannot be compared: ${error.message}`, { url });
      if (direction !== 'up') await this.#fetch(remote, local, from ?? until - LATE_SECONDS);
    }
  }

  /** Fetches the events since a time by REQ. */
  async #fetch(remote: RelayConnection, local: RelayConnection, since: number): Promise<void> {
    const { name, url, gates } = this.#options;
    let wake = () => {};
    const publisher = new Publisher(local, LOCAL_WINDOW, {
      result: (_id, result) => this.down.take(result),
      ready: () => wake(),
      failed: () => wake(),
    });
    let fetched = 0;
    for (const { filter, json } of this.#filters) {
      const from = Math.max(since, filter.since ?? 0);
      await fetchAll(
        remote,
        { ...json, since: from },
        async (event, text) => {
          if (gates?.down !== undefined && !(await gates.down(event, text))) return;
          fetched++;
          publisher.add(event.id, text);
          if (!publisher.isFull) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        },
        () => {},
      );
    }
    await publisher.drained();
    this.#log.info(`peer ${name}: fetched`, { url, events: fetched });
  }

  /** Returns the time from which events may be missing; null: any may. */
  #gap(): number | null {
    const known = this.#own.cursors.of(this.#key);
    return known === undefined ? null : Math.max(known - LATE_SECONDS, 0);
  }

  get #key(): string {
    const { url, direction } = this.#options;
    return `${direction} ${url} ${JSON.stringify(this.#filters.map(({ json }) => json))}`;
  }

  async #repair(
    remote: RelayConnection,
    local: RelayConnection,
    from: number | null,
    until: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, url, direction } = this.#options;
    for (const { filter } of this.#filters) {
      const since = Math.max(filter.since ?? 0, from ?? 0);
      const part = { ...filter, since: since === 0 ? null : since, limit: null };
      const report = await synchronize(
        { local, remote, events: this.#own.events, filter: part, filterJson: filterJson(part) },
        {
          direction,
          frameBytes: FRAME_BYTES,
          signal,
          progress: () => {},
          refused: { here: this.#refusedHere, there: this.#refusedThere },
          gates: this.#options.gates,
        },
      );
      if (report.down !== null) this.down.add(report.down);
      if (report.up !== null) this.up.add(report.up);
      this.#log.info(`peer ${name}: compared`, {
        url,
        missingHere: report.need.size,
        missingThere: report.have.size,
      });
    }
    this.#own.cursors.set(this.#key, until);
  }
}
