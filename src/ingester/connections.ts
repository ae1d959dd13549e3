// Table of the connections of one ingester worker, which owns it.

import type { ConnectedClient } from '../messages/io-ingester.ts';
import type { Client } from '../policy/rates/rates.ts';
import type { SubscriptionMemory } from './subscription-memory.ts';

const NO_KEYS: ReadonlySet<string> = new Set();
const NO_IDS: ReadonlyMap<string, string> = new Map();

/** Subscription in its ingester worker: its number, and its bytes in `SubscriptionMemory`. */
interface OpenSubscription {
  readonly subNo: number;
  readonly bytes: number;
}

/** Reason why a subscription cannot be opened. */
type NotOpened = 'too-many' | 'no-memory';

/** State of a connection in its ingester worker. */
export interface Connection extends ConnectedClient {
  readonly connId: number;
  /** Key of its memory accounting: its address, an IPv6 one by its prefix. */
  readonly address: string;
  /** Quota owner of its messages; null if it is exempt from rates. */
  client: Client | null;
  /** Quota owner that the query worker was last told; undefined if it was told none. */
  introduced: Client | null | undefined;
  /** Challenge that the client was sent (NIP-42); '' until it was sent. */
  challenge: string;
  /** Pubkeys that have authenticated on the connection. */
  authed: ReadonlySet<string>;
  /** Id of the newest authentication event of each pubkey. */
  authIds: ReadonlyMap<string, string>;
  /** True if it has opened a negentropy session; the sync worker then has to know its changes. */
  syncs: boolean;
  /** Open subscriptions by id. */
  readonly subscriptions: Map<string, OpenSubscription>;
  lastSubNo: number;
}

/**
 * Connections of an ingester worker with the ids and numbers of their subscriptions. The worker
 * assigns the numbers, rejects subscriptions over the bounds, and finds the one that a CLOSE or a
 * reused id refers to.
 */
export class Connections {
  readonly #connections = new Map<number, Connection>();
  /** Number of subscriptions that a connection may have open; lowering it closes none. */
  subscriptionsMax: number;
  readonly memory: SubscriptionMemory;

  constructor(subscriptionsMax: number, memory: SubscriptionMemory) {
    this.subscriptionsMax = subscriptionsMax;
    this.memory = memory;
  }

  connect(connId: number, client: ConnectedClient, address = client.ip): Connection {
    const connection: Connection = {
      connId,
      address,
      source: client.source,
      ip: client.ip,
      host: client.host,
      client: null,
      introduced: undefined,
      challenge: client.challenge,
      authed: NO_KEYS,
      authIds: NO_IDS,
      syncs: false,
      subscriptions: new Map(),
      lastSubNo: 0,
    };
    this.#connections.set(connId, connection);
    return connection;
  }

  /**
   * Returns the connection with this id. If this worker was restarted and has not seen the start of
   * the connection, the connection is about to be closed; until then it counts as an unknown
   * client.
   */
  of(connId: number): Connection {
    return (
      this.#connections.get(connId) ??
      this.connect(connId, { source: 'client', ip: '', host: '', challenge: '' })
    );
  }

  /** Returns all connections. */
  all(): Iterable<Connection> {
    return this.#connections.values();
  }

  /** Returns the numbers of a new subscription and of the one it replaces (0: none), or why not. */
  open(
    connId: number,
    subId: string,
    bytes: number,
  ): { subNo: number; replaces: number } | NotOpened {
    const connection = this.of(connId);
    const { subscriptions } = connection;
    const replaced = subscriptions.get(subId);
    if (replaced === undefined && subscriptions.size >= this.subscriptionsMax) return 'too-many';
    const { address } = connection;
    if (!this.memory.mayHold(address, bytes - (replaced?.bytes ?? 0))) return 'no-memory';
    if (replaced !== undefined) this.memory.release(address, replaced.bytes);
    this.memory.hold(address, bytes);
    const subNo = ++connection.lastSubNo;
    subscriptions.set(subId, { subNo, bytes });
    return { subNo, replaces: replaced?.subNo ?? 0 };
  }

  /** Closes a subscription and returns its number, or 0 if there is none with this id. */
  close(connId: number, subId: string): number {
    const connection = this.#connections.get(connId);
    const subscription = connection?.subscriptions.get(subId);
    if (connection === undefined || subscription === undefined) return 0;
    connection.subscriptions.delete(subId);
    this.memory.release(connection.address, subscription.bytes);
    return subscription.subNo;
  }

  /** Closes a subscription that the relay ended; returns false if its id was reused meanwhile. */
  ended(connId: number, subId: string, subNo: number): boolean {
    const open = this.#connections.get(connId)?.subscriptions.get(subId);
    return open?.subNo === subNo && this.close(connId, subId) === subNo;
  }

  disconnect(connId: number): void {
    const connection = this.#connections.get(connId);
    if (connection === undefined) return;
    this.#connections.delete(connId);
    const { address } = connection;
    for (const { bytes } of connection.subscriptions.values()) this.memory.release(address, bytes);
  }
}
