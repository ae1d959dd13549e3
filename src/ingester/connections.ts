/** What an ingester lane knows of one of its connections. */
interface Connection {
  /** Open subscriptions: id → number. */
  subscriptions: Map<string, number>;
  lastSubNo: number;
}

/**
 * The subscriptions of a lane's connections, as far as their ids and their number go: the lane numbers
 * them, refuses too many, and finds the one that a CLOSE or a re-used id means.
 */
export class Connections {
  readonly #connections = new Map<number, Connection>();
  readonly #subscriptionsMax: number;

  constructor(subscriptionsMax: number) {
    this.#subscriptionsMax = subscriptionsMax;
  }

  /** The number for a new subscription and that of the one it replaces (0: none), or null: too many. */
  open(connId: number, subId: string): { subNo: number; replaces: number } | null {
    let connection = this.#connections.get(connId);
    if (connection === undefined) {
      connection = { subscriptions: new Map(), lastSubNo: 0 };
      this.#connections.set(connId, connection);
    }
    const { subscriptions } = connection;
    const replaces = subscriptions.get(subId) ?? 0;
    if (replaces === 0 && subscriptions.size >= this.#subscriptionsMax) return null;
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

  /** The relay ended a subscription; the client may have re-used its id meanwhile. */
  ended(connId: number, subId: string, subNo: number): void {
    const subscriptions = this.#connections.get(connId)?.subscriptions;
    if (subscriptions?.get(subId) === subNo) subscriptions.delete(subId);
  }

  disconnect(connId: number): void {
    this.#connections.delete(connId);
  }
}
