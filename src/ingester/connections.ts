import type { ConnectedClient } from '../messages.ts';
import type { Client } from '../policy/rates/rates.ts';
import type { SubscriptionMemory } from './subscription-memory.ts';

const NOBODY: ReadonlySet<string> = new Set();
const NO_IDS: ReadonlyMap<string, string> = new Map();

/** A subscription as its ingester lane knows it: its number, and its bytes in `SubscriptionMemory`. */
interface OpenSubscription {
  readonly subNo: number;
  readonly bytes: number;
}

/** Why a subscription cannot be opened now. */
type NotOpened = 'too-many' | 'no-memory';

/** What an ingester lane knows of one of its connections. */
export interface Connection extends ConnectedClient {
  readonly connId: number;
  /** Under which its memory is counted: its address, an IPv6 one by its prefix. */
  readonly address: string;
  /** Whom its messages are charged to; null: it is exempt from rates. */
  client: Client | null;
  /** Whom its messages are charged to, as its query lane knows it; undefined: it was told nothing. */
  introduced: Client | null | undefined;
  /** What the client was sent to sign (NIP-42); '' until it was sent. */
  challenge: string;
  /** The pubkeys that have authenticated here. */
  authed: ReadonlySet<string>;
  /** The id of the newest authentication of each pubkey. */
  authIds: ReadonlyMap<string, string>;
  /** Open subscriptions by id. */
  readonly subscriptions: Map<string, OpenSubscription>;
  lastSubNo: number;
}

/**
 * The connections of a lane: who is there, and the ids and numbers of their subscriptions. The lane
 * numbers these, refuses too many, and finds the one that a CLOSE or a re-used id means.
 */
export class Connections {
  readonly #connections = new Map<number, Connection>();
  /** Open subscriptions a connection may have; those that are open already stay. */
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
      ip: client.ip,
      host: client.host,
      client: null,
      introduced: undefined,
      challenge: client.challenge,
      authed: NOBODY,
      authIds: NO_IDS,
      subscriptions: new Map(),
      lastSubNo: 0,
    };
    this.#connections.set(connId, connection);
    return connection;
  }

  /**
   * The connection with this number. One whose beginning this lane has not seen, because it was being
   * started again, is about to be closed; until then it is somebody unknown.
   */
  of(connId: number): Connection {
    return (
      this.#connections.get(connId) ?? this.connect(connId, { ip: '', host: '', challenge: '' })
    );
  }

  /** All of them, whoever they are. */
  all(): Iterable<Connection> {
    return this.#connections.values();
  }

  /** The number for a new subscription and that of the one it replaces (0: none), or why not. */
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

  /** The number of the subscription that ends, or 0 if there is none with this id. */
  close(connId: number, subId: string): number {
    const connection = this.#connections.get(connId);
    const subscription = connection?.subscriptions.get(subId);
    if (connection === undefined || subscription === undefined) return 0;
    connection.subscriptions.delete(subId);
    this.memory.release(connection.address, subscription.bytes);
    return subscription.subNo;
  }

  /** The relay ended a subscription; false when the client has re-used its id meanwhile. */
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
