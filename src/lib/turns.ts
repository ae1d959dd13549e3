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
  /** The work of its next turn, as far as it is known before. */
  abstract readonly expected: number;
}

/** What a connection needs to know of its address. */
interface OfAddress<Connection extends ConnectionTurns> {
  readonly address: AddressTurns<Connection>;
}

/** Idle addresses are looked through when so many more have gathered. */
const IDLE_MORE = 64;

/**
 * Whose work goes on next in a thread: that of the address for which the thread will have worked least, and
 * of its connections that which will have had the least. So a client with little work waits for one turn of others,
 * however many messages, connections or addresses keep the thread busy.
 *
 * Work is charged in a unit of the owner's choice, which should not be time by the clock: a thread that
 * shares processors is interrupted, and a client whose turn that happens to be would pay for it.
 */
export class Turns<
  Connection extends ConnectionTurns & OfAddress<Connection>,
  Address extends AddressTurns<Connection> = AddressTurns<Connection>,
> {
  readonly #addresses = new Map<string, Address>();
  readonly #waiting = new FairQueue<Address>();
  /** Without open connections; each is forgotten once all that wait have used as much as it has. */
  readonly #idle = new Set<Address>();
  #idleMax = IDLE_MORE;
  readonly #make: (name: string) => Address;

  constructor(make: (name: string) => Address) {
    this.#make = make;
  }

  /** Addresses of which connections wait for a turn. */
  get addresses(): number {
    return this.#waiting.size;
  }

  /** The address of a new connection; `leave` ends that. */
  enter(name: string): Address {
    let address = this.#addresses.get(name);
    if (address === undefined) {
      address = this.#make(name);
      this.#addresses.set(name, address);
    }
    if (address.open++ === 0) this.#idle.delete(address);
    return address;
  }

  /** A connection is closed; what it still has to do gets its turns. */
  leave(address: Address): void {
    if (--address.open > 0) return;
    this.#idle.add(address);
    if (this.#idle.size > this.#idleMax) this.#forget();
  }

  /** Forgets the idle addresses that would get no turn sooner if they came back as new ones. */
  #forget(): void {
    for (const address of this.#idle) {
      if (address.waiting.size > 0 || address.used > this.#waiting.floor) continue;
      this.#idle.delete(address);
      this.#addresses.delete(address.name);
    }
    this.#idleMax = this.#idle.size + IDLE_MORE;
  }

  /** A connection has work. */
  wait(connection: Connection & { readonly address: Address }): void {
    connection.address.waiting.add(connection, connection.expected);
    this.#add(connection.address);
  }

  /** The connection whose turn it is; undefined when none waits. `charge` has to follow. */
  take(): Connection | undefined {
    return this.#waiting.take()?.waiting.take();
  }

  /** Charges the work of a turn; the connection waits for its next one if it has more to do. */
  charge(connection: Connection & { readonly address: Address }, work: number): void {
    const { address } = connection;
    connection.used += work;
    address.used += work;
    if (connection.isWaiting) address.waiting.add(connection, connection.expected);
    if (address.waiting.size > 0) this.#add(address);
  }

  #add(address: Address): void {
    this.#waiting.add(address, address.waiting.first!.expected);
  }
}
