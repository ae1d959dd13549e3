// The peers worker: exchanges events with the relays of [[peers]], and announces this one, while it
// runs. Its thread owns all state below.

import type { Channel } from '../channel/channel.ts';
import { MessageOutbox } from '../channel/outbox.ts';
import type { Config } from '../config/options.ts';
import { type NamedPeer, peersIn } from '../config/peer-fields.ts';
import { parseRate } from '../config/rate.ts';
import type { Log } from '../log/log.ts';
import type { PeersMessage } from '../messages/admin-peers.ts';
import type { StationName } from '../messages/control.ts';
import { type Filter, filterJson } from '../protocol/filter.ts';
import { parseFilters } from '../protocol/filter-text.ts';
import { kindsIn } from '../protocol/kind-range.ts';
import { PrivateKinds } from '../protocol/privacy.ts';
import { relayHost } from '../protocol/relay-url.ts';
import { isReadFailure } from '../store/database/error.ts';
import { Announcer } from './announcer.ts';
import { proxyAgent, signerOfFile } from './credentials.ts';
import { PeerCursors } from './cursors.ts';
import type { Gates } from './live-link.ts';
import { relayOn } from './local-relay.ts';
import { type LocalEvents, openLocalEvents } from './local-set.ts';
import { Peer, type PeerOptions } from './peer.ts';
import { PeerGate } from './peer-gate.ts';
import type { PeerMeter } from './peer-meter.ts';
import type { ConnectionOptions } from './relay-connection.ts';
import { relaysOf, type WrittenTo } from './relay-lists.ts';
import type { Throttles } from './synchronize.ts';
import { Throttle } from './throttle.ts';

/** Interval of the reports to the admin worker and to the metrics. */
const REPORT_MILLISECONDS = 1_000;

/** Interval of the search for relays in relay lists. */
const LIST_MILLISECONDS = 3_600_000;

/** Peer that runs. */
interface Running {
  readonly peer: Peer;
  readonly ended: Promise<void>;
  end(): void;
}

/**
 * Peers worker. In: configurations. Out: events, as a client of the relay's local socket; states,
 * to the admin worker once a second. It owns a read-only database connection, and the connections
 * to the other relays.
 *
 * If it dies it starts again without an effect on clients; what was missed is repaired by the next
 * comparison.
 */
export class Peers {
  readonly #log: Log;
  readonly #meter: PeerMeter;
  #events: LocalEvents;
  readonly #cursors: PeerCursors;
  /** Peers by everything that makes them what they are. */
  readonly #running = new Map<string, Running>();
  /** Peers of earlier configurations that are ending. */
  readonly #ending = new Set<Promise<void>>();
  #config: Config;
  /** Keys of the running peers, in the order of the configuration. */
  #order: readonly string[] = [];
  /** Configuration of the announcements that are being made; '': none are. */
  #announcedBy = '';
  #announcing: AbortController | null = null;
  #admin: MessageOutbox<PeersMessage> | null = null;
  readonly #timer: NodeJS.Timeout;
  readonly #listTimer: NodeJS.Timeout;

  /** @throws StorageError */
  constructor(config: Config, log: Log, meter: PeerMeter) {
    this.#config = config;
    this.#log = log;
    this.#meter = meter;
    this.#events = openLocalEvents(config);
    this.#cursors = new PeerCursors(config.storage.directory);
    this.#timer = setInterval(() => this.#report(), REPORT_MILLISECONDS);
    this.#listTimer = setInterval(() => this.reconfigure(this.#config), LIST_MILLISECONDS);
    this.reconfigure(config);
  }

  attach(station: StationName, _worker: number, channel: Channel): void {
    if (station !== 'admin') return;
    this.#admin = new MessageOutbox<PeersMessage>(channel);
    this.#report();
  }

  /** Ends the peers that are not configured any more, and begins new ones; others continue. */
  reconfigure(config: Config): void {
    this.#config = config;
    const privateKinds = new PrivateKinds(kindsIn(config.auth.private_kinds));
    this.#events = { ...this.#events, privateKinds };
    this.#announce(config);
    const named = [...peersIn(config.peers), ...this.#listed()];
    const wanted = new Map(named.map((peer) => [keyOf(peer, config), peer]));
    this.#order = [...wanted.keys()];
    for (const [key, running] of this.#running) {
      if (wanted.has(key)) continue;
      this.#running.delete(key);
      running.end();
      this.#ending.add(running.ended);
      void running.ended.then(() => this.#ending.delete(running.ended));
    }
    for (const [key, peer] of wanted) {
      if (!this.#running.has(key)) this.#running.set(key, this.#begin(peer));
    }
    this.#report();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#listTimer);
    this.#announcing?.abort();
    for (const { end } of this.#running.values()) end();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    await Promise.all(this.#ending);
    this.#events.db.close();
  }

  /** Begins to announce the relay, or ends that, if the configuration of it has changed. */
  #announce(config: Config): void {
    const { identity, storage } = config;
    const key = identity.announce ? JSON.stringify(identity) : '';
    if (key === this.#announcedBy) return;
    this.#announcedBy = key;
    this.#announcing?.abort();
    this.#announcing = null;
    if (!identity.announce) return;
    this.#announcing = new AbortController();
    const announcer = new Announcer(config, relayOn(storage.directory), this.#log);
    void announcer.run(this.#announcing.signal);
  }

  /** Returns the relays that authors of the entries name in their relay lists. */
  #listed(): NamedPeer[] {
    const { peers } = this.#config;
    const named = new Set(peers.flatMap(({ urls }) => urls.map(relayHost)));
    return peers.flatMap((entry) => {
      if (entry.relay_lists === 0) return [];
      const filters = filtersOf(entry);
      const authors = new Set(filters.flatMap((filter) => filter.authors ?? []));
      return this.#relaysOf([...authors], entry)
        .filter(({ url }) => !named.has(relayHost(url)))
        .map(({ url, authors: there }) => {
          const narrowed = filters.map((filter) => ({
            ...filterJson(filter),
            authors: there.filter((author) => filter.authors?.includes(author)),
          }));
          const { name } = entry;
          const ofList = { ...entry, filter: JSON.stringify(narrowed), kinds: [] };
          return { name: `${name || 'relay-lists'} ${url}`, url, entry: ofList };
        });
    });
  }

  #relaysOf(authors: readonly string[], entry: NamedPeer['entry']): WrittenTo[] {
    const { identity, peer_lists: lists } = this.#config;
    try {
      return relaysOf(this.#events, authors, {
        max: entry.relay_lists,
        own: identity.urls,
        onion: entry.proxy !== '',
        anyAddress: lists.any_address,
      });
    } catch (error) {
      if (!isReadFailure(error)) throw error;
      this.#log.warn('the relay lists cannot be read', { error: String(error) });
      return [];
    }
  }

  #begin(named: NamedPeer): Running {
    const { storage } = this.#config;
    const abort = new AbortController();
    const gates = new PeerGates(this.#config, named, this.#log);
    const own = {
      relay: relayOn(storage.directory),
      events: this.#events,
      cursors: this.#cursors,
    };
    const peer = new Peer(optionsOf(named, gates), own, this.#log);
    const ended = peer
      .run(abort.signal)
      .catch((error: Error) => {
        // A fault of the program: the peer stays down until the next configuration or start.
        this.#log.error(`peer ${named.name}: ended by an error`, { error: error.stack });
      })
      .then(() => gates.stop());
    return { peer, ended, end: () => abort.abort() };
  }

  #report(): void {
    const peers = this.#order.flatMap((key) => this.#running.get(key)?.peer ?? []);
    this.#meter.take(peers);
    this.#admin?.send({ peers: peers.map(({ status }) => status) });
    this.#admin?.flush();
  }
}

/** Plugins of a peer. */
class PeerGates {
  readonly #down: PeerGate | null;
  readonly #up: PeerGate | null;
  readonly #url: string;

  constructor(config: Config, { url, entry }: NamedPeer, log: Log) {
    const gateOf = (command: string) =>
      command === '' ? null : new PeerGate(config, command, log);
    this.#down = gateOf(entry.plugin_down);
    this.#up = gateOf(entry.plugin_up);
    this.#url = url;
  }

  get gates(): Gates {
    return { down: this.#down?.of(this.#url), up: this.#up?.of(this.#url) };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#down?.stop(), this.#up?.stop()]);
  }
}

/** Returns a text that differs wherever a peer has to begin anew. */
function keyOf({ name, url, entry }: NamedPeer, { auth, plugins }: Config): string {
  const withPlugin = entry.plugin_down !== '' || entry.plugin_up !== '';
  return JSON.stringify([name, url, entry, auth.private_kinds, withPlugin ? plugins : null]);
}

function optionsOf({ name, url, entry }: NamedPeer, { gates }: PeerGates): PeerOptions {
  return {
    name,
    url,
    direction: entry.dir,
    filters: filtersOf(entry),
    connection: () => connectionOf(entry),
    repair: entry.repair ? 'gap' : 'off',
    repairSeconds: entry.repair ? entry.repair_seconds : 0,
    gates,
    throttles: throttlesOf(entry),
  };
}

function throttlesOf(entry: NamedPeer['entry']): Throttles {
  const rate = (text: string) => parseRate(text) ?? null;
  return {
    down: new Throttle(rate(entry.events_down), rate(entry.bytes_down)),
    up: new Throttle(rate(entry.events_up), rate(entry.bytes_up)),
  };
}

/** Returns the filters of an entry, with its kinds only. */
function filtersOf({ filter, kinds }: NamedPeer['entry']): Filter[] {
  const filters = parseFilters(filter === '' ? '{}' : filter) ?? [];
  if (kinds.length === 0) return filters;
  const allowed = kindsIn(kinds);
  return filters.map((one) => {
    const kept = one.kinds?.filter((kind) => allowed.includes(kind)) ?? allowed;
    return { ...one, kinds: kept, matchesNothing: one.matchesNothing || kept.length === 0 };
  });
}

/** @throws PeerError if the key cannot be read. */
async function connectionOf(entry: NamedPeer['entry']): Promise<ConnectionOptions> {
  return {
    timeoutMilliseconds: entry.timeout_seconds * 1000,
    agent: entry.proxy === '' ? undefined : await proxyAgent(entry.proxy),
    signer: entry.key_file === '' ? null : await signerOfFile(entry.key_file),
  };
}
