import type { Connection } from './connection.ts';

/** How many connections are open by one address, or one network. */
export class ConnectionCounts {
  readonly #addresses = new Map<string, number>();
  readonly #networks = new Map<string, number>();

  /** Under the names that addresses and networks are held to account by (`policy/rates`). */
  ofAddress(name: string): number {
    return this.#addresses.get(name) ?? 0;
  }

  ofNetwork(name: string): number {
    return this.#networks.get(name) ?? 0;
  }

  add({ ipName, networkName }: Connection): void {
    change(this.#addresses, ipName, 1);
    change(this.#networks, networkName, 1);
  }

  remove({ ipName, networkName }: Connection): void {
    change(this.#addresses, ipName, -1);
    change(this.#networks, networkName, -1);
  }
}

function change(counts: Map<string, number>, name: string, by: number): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
