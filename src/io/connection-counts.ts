// Counts of connections by address and network, owned by the main thread.

/** Load of one address: its open connections and its messages in flight. */
export interface AddressLoad {
  /** Quota key of the address (`policy/rates`). */
  readonly name: string;
  connections: number;
  /** Cost of their messages that are not answered yet (`lib/message-cost.ts`). */
  inFlightCost: number;
}

/** Load by address, and number of connections by network. */
export class ConnectionCounts {
  readonly #addresses = new Map<string, AddressLoad>();
  readonly #networks = new Map<string, number>();

  /** Returns the connections of an address, named by its quota key (`policy/rates`). */
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

  /** Removes a closed connection; its messages in flight count until `settle`. */
  remove(load: AddressLoad, networkName: string): void {
    load.connections--;
    this.#forget(load);
    const left = this.ofNetwork(networkName) - 1;
    if (left === 0) this.#networks.delete(networkName);
    else this.#networks.set(networkName, left);
  }

  /** Releases the cost of messages of closed connections after they were handled. */
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
