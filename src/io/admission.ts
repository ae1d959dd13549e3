// Admission of WebSocket connections, before the handshake. Runs in the main thread.

import type { Config } from '../config/options.ts';
import type { Rates } from '../policy/rates/rates.ts';
import type { ConnectionCounts } from './connection-counts.ts';
import type { NotAdmitted } from './listen.ts';

const BUSY = '503 Service Unavailable';
const TOO_MANY = '429 Too Many Requests';

/** Rejection of connections during shutdown. */
export const GOING_DOWN: NotAdmitted = {
  reason: 'stopping',
  status: BUSY,
  text: 'this relay is shutting down\n',
};

/** Access rules for new WebSockets: bans, number of open connections, rate of new ones. */
export class Admission {
  #config: Config;
  readonly #rates: Rates;
  readonly #counts: ConnectionCounts;
  readonly #isBanned: (ip: string) => boolean;

  constructor(
    config: Config,
    rates: Rates,
    counts: ConnectionCounts,
    isBanned: (ip: string) => boolean,
  ) {
    this.#config = config;
    this.#rates = rates;
    this.#counts = counts;
    this.#isBanned = isBanned;
  }

  reconfigure(config: Config): void {
    this.#config = config;
  }

  /** Returns the rejection of a connection, or null; `open` is the number of open WebSockets. */
  admit(ip: string, open: number): NotAdmitted | null {
    if (this.#isBanned(ip)) {
      return {
        reason: 'banned',
        status: '403 Forbidden',
        text: 'this address is banned from this relay\n',
      };
    }
    return this.#full(ip, open) ?? this.#limited(ip);
  }

  #full(ip: string, open: number): NotAdmitted | null {
    const {
      connections_max: max,
      connections_per_ip_max: perIpMax,
      connections_per_subnet_max: perSubnetMax,
    } = this.#config.io;
    if (open >= max) {
      const text = `too many connections, the limit is ${max}\n`;
      return { reason: 'full', status: BUSY, text };
    }
    if (perIpMax > 0 && this.#counts.ofAddress(this.#rates.nameOf(ip)) >= perIpMax) {
      const text = `too many connections from this address, the limit is ${perIpMax}\n`;
      return { reason: 'per_address', status: TOO_MANY, text };
    }
    if (perSubnetMax > 0 && this.#counts.ofNetwork(this.#rates.networkOf(ip)) >= perSubnetMax) {
      const text = `too many connections from this network, the limit is ${perSubnetMax}\n`;
      return { reason: 'per_network', status: TOO_MANY, text };
    }
    return null;
  }

  /** Returns the rejection of an address with too many violations or new connections, or null. */
  #limited(ip: string): NotAdmitted | null {
    const client = this.#rates.client(ip);
    if (client === null) return null;
    const banned = this.#rates.bannedSeconds(client);
    if (banned > 0) {
      const text = `this address is banned for ${banned} more seconds because of too many violations\n`;
      return { reason: 'banned', status: TOO_MANY, text, retrySeconds: banned };
    }
    const seconds = this.#rates.connectionWait(client);
    if (seconds === 0) return null;
    const text = `too many new connections from this address or its network; try again in ${seconds} seconds\n`;
    return { reason: 'rate', status: TOO_MANY, text, retrySeconds: seconds };
  }
}
