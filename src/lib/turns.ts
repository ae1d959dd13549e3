import { FairQueue, Share } from './fair-queue.ts';

/** The connections of one address, an IPv6 one by its prefix, of which some wait for a turn. */
export class AddressTurns<Connection extends ConnectionTurns> extends Share {
  readonly name: string;
  readonly waiting = new FairQueue<Connection>();
  /** Connections that are open. */
  open = 0;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

/** A connection that waits for a turn while it has work. */
export abstract class ConnectionTurns extends Share {
  abstract readonly isWaiting: boolean;
}

/** What a connection needs to know of its address. */
interface OfAddress<Connection extends ConnectionTurns> {
  readonly address: AddressTurns<Connection>;
}

/**
 * Whose work goes on next in a thread: that of the address which has had the least of the thread's
 * time, and of its connections that which has had the least. So a client with little work waits for one
 * turn of others, however many messages, connections or addresses keep the thread busy.
 */
export class Turns<
  Connection extends ConnectionTurns & OfAddress<Connection>,
  Address extends AddressTurns<Connection> = AddressTurns<Connection>,
> {
  readonly #addresses = new Map<string, Address>();
  readonly #waiting = new FairQueue<Address>();
  readonly #make: (name: string) => Address;

  constructor(make: (name: string) => Address) {
    this.#make = make;
  }

  /** Whether no connection waits for a turn. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** The address of a new connection; `leave` ends that. */
  enter(name: string): Address {
    let address = this.#addresses.get(name);
    if (address === undefined) {
      address = this.#make(name);
      this.#addresses.set(name, address);
    }
    address.open++;
    return address;
  }

  /** A connection is closed; what it still has to do gets its turns. */
  leave(address: Address): void {
    if (--address.open === 0) this.#addresses.delete(address.name);
  }

  /** A connection has work. */
  wait(connection: Connection & { readonly address: Address }): void {
    connection.address.waiting.add(connection);
    this.#waiting.add(connection.address);
  }

  /** The connection whose turn it is; undefined when none waits. `charge` has to follow. */
  take(): Connection | undefined {
    return this.#waiting.take()?.waiting.take();
  }

  /** Charges a turn of so many milliseconds; the connection waits for its next one if it has more to do. */
  charge(connection: Connection & { readonly address: Address }, milliseconds: number): void {
    const { address } = connection;
    connection.used += milliseconds;
    address.used += milliseconds;
    if (connection.isWaiting) address.waiting.add(connection);
    if (address.waiting.size > 0) this.#waiting.add(address);
  }
}
