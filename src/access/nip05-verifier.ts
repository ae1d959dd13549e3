// Queue of NIP-05 look-ups in the admin worker.

import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { Verification } from '../messages/key-lists.ts';
import { isInDomains, lookUp, parseAddress } from './nip05.ts';

/** Maximum look-ups in progress and waiting; others are dropped until the author writes again. */
const AT_ONCE_MAX = 8;
const WAITING_MAX = 2_000;

interface Job {
  pubkey: string;
  address: string;
}

/** Verifies NIP-05 addresses in the background, some at a time; an author waits at most once. */
export class Nip05Verifier {
  readonly #clock: Clock;
  readonly #profileAddress: (pubkey: string) => string;
  readonly #done: (pubkey: string, verification: Verification) => void;
  readonly #waiting = new Map<string, Job>();
  #nip05: Config['nip05'];
  #running = 0;

  /** Takes `profileAddress`, which returns the address in the stored profile of a key, or ''. */
  constructor(
    nip05: Config['nip05'],
    clock: Clock,
    profileAddress: (pubkey: string) => string,
    done: (pubkey: string, verification: Verification) => void,
  ) {
    this.#nip05 = nip05;
    this.#clock = clock;
    this.#profileAddress = profileAddress;
    this.#done = done;
  }

  reconfigure(nip05: Config['nip05']): void {
    this.#nip05 = nip05;
  }

  /** Queues a look-up. `address`: from the author's event, or '' to use the stored profile. */
  verify(pubkey: string, address: string): void {
    if (this.#waiting.has(pubkey) || this.#waiting.size >= WAITING_MAX) return;
    this.#waiting.set(pubkey, { pubkey, address });
    this.#next();
  }

  #next(): void {
    while (this.#running < AT_ONCE_MAX) {
      const [job] = this.#waiting.values();
      if (job === undefined) return;
      this.#waiting.delete(job.pubkey);
      this.#running++;
      void this.#look(job).then((why) => {
        this.#running--;
        const { verified_seconds: good, failed_seconds: bad } = this.#nip05;
        const until = this.#clock.seconds() + (why === '' ? good : bad);
        this.#done(job.pubkey, { verified: why === '', until, why });
        this.#next();
      });
    }
  }

  /** Returns the reason why an author is not verified, or ''. */
  async #look({ pubkey, address: told }: Job): Promise<string> {
    const address = told || this.#profileAddress(pubkey);
    if (address === '') {
      return 'writing to this relay requires a NIP-05 address; publish a profile (kind 0) with one first';
    }
    const parsed = parseAddress(address);
    const nip05 = this.#nip05;
    if (parsed === undefined) return 'your NIP-05 address does not have the form name@domain';
    if (isInDomains(parsed.domain, nip05.domains_denied)) {
      return 'this relay does not accept NIP-05 addresses of this domain';
    }
    if (nip05.domains_allowed.length > 0 && !isInDomains(parsed.domain, nip05.domains_allowed)) {
      return `your NIP-05 address must be at ${nip05.domains_allowed.join(' or ')}`;
    }
    try {
      const found = await lookUp(address, {
        timeoutSeconds: nip05.timeout_seconds,
        privateNetworks: nip05.private_networks,
      });
      return found === pubkey ? '' : 'your NIP-05 address belongs to another key';
    } catch (error) {
      return `your NIP-05 address was not found: ${(error as Error).message}`;
    }
  }
}
