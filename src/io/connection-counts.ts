/** What the connections of one address have open and under way. */
export interface AddressLoad {
  /** The name by which the address is held to account (`policy/rates`). */
  readonly name: string;
  connections: number;
  /** Of their messages that are not answered yet (`lib/message-cost.ts`). */
  inFlightCost: number;
}

/** How much is open and under way by one address, and how many connections by one network. */
export class ConnectionCounts {
  readonly #addresses = new Map<string, AddressLoad>();
  readonly #networks = new Map<string, number>();

  /** Under the names that addresses and networks are held to account by (`policy/rates`). */
  ofAddress(name: string): number {
    return this.#addresses.get(name)?.connections ?? 0;
  }

  ofNetwork(name: string): number {
    return this.#networks.get(name) ?? 0;
  }

  /** Counts a connection; `remove` ends that. */
  add(ipName: string, networkName: string): AddressLoad {
    let load = this.#addresses.get(ipName);
    if (load === undefined) {
      load = { name: ipName, connections: 0, inFlightCost: 0 };
      this.#addresses.set(ipName, load);
    }
    load.connections++;
    this.#networks.set(networkName, this.ofNetwork(networkName) + 1);
    return load;
  }

  /** A connection was closed; what it has under way counts until it is settled. */
  remove(load: AddressLoad, networkName: string): void {
    load.connections--;
    this.#forget(load);
    const left = this.ofNetwork(networkName) - 1;
    if (left === 0) this.#networks.delete(networkName);
    else this.#networks.set(networkName, left);
  }

  /** So much of what closed connections had under way is over. */
  settle(load: AddressLoad, cost: number): void {
    load.inFlightCost -= cost;
    this.#forget(load);
  }

  #forget(load: AddressLoad): void {
    if (load.connections > 0 || load.inFlightCost > 0) return;
    // A closed connection is settled late: its address may have come back with a new load since.
    if (this.#addresses.get(load.name) === load) this.#addresses.delete(load.name);
  }
}
