// Counter of failed logins by client address. Owned by the admin worker.

import { quotaNames } from '../../policy/rates/networks.ts';

/** Maximum number of failed logins of one address in a window that are answered with a reason. */
const FAILURES_MAX = 10;
const WINDOW_SECONDS = 60;
/** Maximum number of addresses; above it the one whose window began first is dropped. */
const ADDRESSES_MAX = 1_000;
/** Prefix lengths: a household has an IPv6 /64. */
const BITS = { ipv6Address: 64, ipv4Network: 24, ipv6Network: 48 } as const;

/**
 * Failed logins by address. Above the limit the client is told to wait, gets no reason, and is not
 * logged. Valid logins are accepted all the same: a signature cannot be guessed, so blocking an
 * admin who shares the address of an attacker would protect nothing.
 */
export class FailedLogins {
  readonly #failures = new Map<string, { count: number; since: number }>();

  /** Counts a failure; returns the seconds to wait if there were too many, else 0. */
  count(ip: string, now: number): number {
    const name = quotaNames(ip, BITS).address;
    let failures = this.#failures.get(name);
    if (failures === undefined || now >= failures.since + WINDOW_SECONDS) {
      this.#failures.delete(name);
      if (this.#failures.size >= ADDRESSES_MAX) {
        this.#failures.delete(this.#failures.keys().next().value!);
      }
      failures = { count: 0, since: now };
      this.#failures.set(name, failures);
    }
    failures.count++;
    return failures.count > FAILURES_MAX ? failures.since + WINDOW_SECONDS - now : 0;
  }
}
