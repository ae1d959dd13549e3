import { accountNames } from '../../policy/rates/networks.ts';

/** Failed logins of one address within the window that are answered with a reason. */
const FAILURES_MAX = 10;
const WINDOW_SECONDS = 60;
/** Addresses that are remembered; beyond it the one that began to fail first is forgotten. */
const ADDRESSES_MAX = 1_000;
/** A household has an IPv6 /64. */
const BITS = { ipv6Address: 64, ipv4Network: 24, ipv6Network: 48 } as const;

/**
 * Counts failed logins by address. Who has failed too often is told to wait and no longer told why, and
 * the log is spared. A login that is right is let in all the same: a signature cannot be guessed, so
 * there is nothing to protect by keeping an admin out who shares the address of somebody who tries.
 */
export class FailedLogins {
  readonly #failures = new Map<string, { count: number; since: number }>();

  /** Counts a failure; returns the seconds to wait if there were too many, else 0. */
  count(ip: string, now: number): number {
    const name = accountNames(ip, BITS).address;
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
