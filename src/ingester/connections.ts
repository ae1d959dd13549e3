import type { ConnectedClient } from '../messages.ts';
import type { Client } from '../policy/rates/rates.ts';

const NOBODY: ReadonlySet<string> = new Set();
const NO_IDS: ReadonlyMap<string, string> = new Map();

/** What an ingester lane knows of one of its connections. */
export interface Connection extends ConnectedClient {
  readonly connId: number;
  /** Whom its messages are charged to; null: it is exempt from rates. */
  client: Client | null;
  /** Whom its query lane knows to pay for its queries. */
  payer: Client | null;
  /** What the client was sent to sign (NIP-42); '' until it was sent. */
  challenge: string;
  /** The pubkeys that have authenticated here. */
  authed: ReadonlySet<string>;
  /** The id of the newest authentication of each pubkey. */
  authIds: ReadonlyMap<string, string>;
  /** Open subscriptions: id → number. */
  readonly subscriptions: Map<string, number>;
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

  constructor(subscriptionsMax: number) {
    this.subscriptionsMax = subscriptionsMax;
  }

  connect(connId: number, client: ConnectedClient): Connection {
    const connection: Connection = {
      connId,
      ip: client.ip,
      host: client.host,
      client: null,
      payer: null,
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

  /** The number for a new subscription and that of the one it replaces (0: none), or null: too many. */
  open(connId: number, subId: string): { subNo: number; replaces: number } | null {
    const connection = this.of(connId);
    const { subscriptions } = connection;
    const replaces = subscriptions.get(subId) ?? 0;
    if (replaces === 0 && subscriptions.size >= this.subscriptionsMax) return null;
    const subNo = ++connection.lastSubNo;
    subscriptions.set(subId, subNo);
    return { subNo, replaces };
  }

  /** The number of the subscription that ends, or 0 if there is none with this id. */
  close(connId: number, subId: string): number {
    const subscriptions = this.#connections.get(connId)?.subscriptions;
    const subNo = subscriptions?.get(subId) ?? 0;
    subscriptions?.delete(subId);
    return subNo;
  }

  /** The relay ended a subscription; false when the client has re-used its id meanwhile. */
  ended(connId: number, subId: string, subNo: number): boolean {
    const subscriptions = this.#connections.get(connId)?.subscriptions;
    if (subscriptions?.get(subId) !== subNo) return false;
    return subscriptions.delete(subId);
  }

  disconnect(connId: number): void {
    this.#connections.delete(connId);
  }
}
