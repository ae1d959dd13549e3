// Fair scheduling of a thread's work by client address and connection. Each thread has its own.

import { present } from './assert.ts';
import { FairQueue, Share } from './fair-queue.ts';

/** Address (an IPv6 one by its prefix) and its connections that wait for a turn. */
export class AddressTurns<Connection extends ConnectionTurns> extends Share {
  readonly name: string;
  readonly waiting = new FairQueue<Connection>();
  /** Number of open connections. */
  open = 0;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

/** Connection that waits for a turn while it has work. */
export abstract class ConnectionTurns extends Share {
  abstract readonly isWaiting: boolean;
  /** Amount of work of its next turn, as far as it is known in advance. */
  abstract readonly expected: number;
}

/** Connection with its address. */
interface OfAddress<Connection extends ConnectionTurns> {
  readonly address: AddressTurns<Connection>;
}

/** Number of additional idle addresses after which they are swept. */
const IDLE_MORE = 64;

/**
 * Fair scheduler for the work of a thread. The next turn goes to the address that will have used
 * least of the thread after it, and within that address to the connection that will have used
 * least. A client with little work therefore waits for one turn of others, however many messages,
 * connections or addresses keep the thread busy.
 *
 * Work is charged in a unit of the owner's choice. Wall-clock time is a bad unit: a thread that
 * shares processors is interrupted, and the interruption would be charged to the client that has
 * the turn.
 */
export class Turns<
  Connection extends ConnectionTurns & OfAddress<Connection>,
  Address extends AddressTurns<Connection> = AddressTurns<Connection>,
> {
  readonly #addresses = new Map<string, Address>();
  readonly #waiting = new FairQueue<Address>();
  /** Addresses without open connections, each dropped once all waiting ones have used as much. */
  readonly #idle = new Set<Address>();
  #idleMax = IDLE_MORE;
  readonly #make: (name: string) => Address;

  constructor(make: (name: string) => Address) {
    this.#make = make;
  }

  /** Number of addresses with connections that wait for a turn. */
  get addresses(): number {
    return this.#waiting.size;
  }

  /** Returns the address entry of a new connection; `leave` releases it. */
  enter(name: string): Address {
    let address = this.#addresses.get(name);
    if (address === undefined) {
      address = this.#make(name);
      this.#addresses.set(name, address);
    }
    if (address.open++ === 0) this.#idle.delete(address);
    return address;
  }

  /** Releases the address of a closed connection; its remaining work still gets turns. */
  leave(address: Address): void {
    if (--address.open > 0) return;
    this.#idle.add(address);
    if (this.#idle.size > this.#idleMax) this.#forget();
  }

  /** Drops the idle addresses that would get no turn sooner if they came back as new ones. */
  #forget(): void {
    for (const address of this.#idle) {
      if (address.waiting.size > 0 || address.used > this.#waiting.floor) continue;
      this.#idle.delete(address);
      this.#addresses.delete(address.name);
    }
    this.#idleMax = this.#idle.size + IDLE_MORE;
  }

  /** Queues a connection that has work. */
  wait(connection: Connection & { readonly address: Address }): void {
    connection.address.waiting.add(connection, connection.expected);
    this.#add(connection.address);
  }

  /** Takes the connection with the next turn, or undefined. The caller must call `charge` then. */
  take(): Connection | undefined {
    return this.#waiting.take()?.waiting.take();
  }

  /** Charges the work of a turn; the connection is queued again if it has more work. */
  charge(connection: Connection & { readonly address: Address }, work: number): void {
    const { address } = connection;
    connection.used += work;
    address.used += work;
    if (connection.isWaiting) address.waiting.add(connection, connection.expected);
    if (address.waiting.size > 0) this.#add(address);
  }

  #add(address: Address): void {
    const { expected } = present(address.waiting.first, 'connection of an address that waits');
    this.#waiting.add(address, expected);
  }
}
