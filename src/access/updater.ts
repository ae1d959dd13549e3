// Access list updater of the admin worker: key files, web of trust, NIP-05 verification.

import { resolve } from 'node:path';
import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../log/log.ts';
import type { KeyListName, KeyShare, Nip05Message, VerifyRequest } from '../messages/key-lists.ts';
import type { Db } from '../store/database/open.ts';
import type { TermHasher } from '../store/index/terms.ts';
import { nip05Of } from './access-rules.ts';
import { KeyFiles } from './key-files.ts';
import { KeySet } from './key-set.ts';
import { Nip05Verifier } from './nip05-verifier.ts';
import { Profiles, webOfTrust } from './web-of-trust.ts';

/** Interval of the check for changed files and a due web of trust. */
const LOOK_MILLISECONDS = 1_000;
/** Delay of the next run if only the roots are trusted: their follow lists may still arrive. */
const BARE_SECONDS = 10;

/** Parts of the admin worker that the updater needs. */
interface AccessListUpdaterParts {
  config: Config;
  db: Db;
  hasher: TermHasher;
  clock: Clock;
  log: Log;
}

/**
 * Updates the key lists that the ingester workers consult: those of files, read again when one
 * changes, and the web of trust, computed periodically. Verifies NIP-05 addresses. All of it runs
 * in the admin worker, so that no ingester ever waits for a disk or a network.
 */
export class AccessListUpdater {
  readonly #parts: AccessListUpdaterParts;
  readonly #share: (share: KeyShare) => void;
  readonly #profiles: Profiles;
  readonly #verifier: Nip05Verifier;
  #trusted = -1;
  #config: Config;
  #files = new Map<KeyListName, KeyFiles>();
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  #trustDue = 0;
  #stopped = false;

  /**
   * Takes `share`, which sends lists to all ingester workers, including later ones, and `tell`,
   * which reaches the present ones only.
   */
  constructor(
    parts: AccessListUpdaterParts,
    share: (share: KeyShare) => void,
    tell: (message: Nip05Message) => void,
  ) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#share = share;
    this.#profiles = new Profiles(parts.db, parts.hasher);
    this.#verifier = new Nip05Verifier(
      parts.config.nip05,
      parts.clock,
      (pubkey) => nip05Of(this.#profiles.profileOf(pubkey)),
      (pubkey, verification) => tell({ t: 'nip05', pubkey, ...verification }),
    );
  }

  begin(): void {
    this.#watch();
    this.#timer = setInterval(() => void this.#look(), LOOK_MILLISECONDS);
    void this.#look();
  }

  reconfigure(config: Config): void {
    this.#config = config;
    this.#verifier.reconfigure(config.nip05);
    this.#watch();
    this.#trustDue = 0;
    void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearInterval(this.#timer);
  }

  verify({ pubkey, address }: VerifyRequest): void {
    this.#verifier.verify(pubkey, address);
  }

  /** Opens the files that the configuration names. A reload reads all of them again. */
  #watch(): void {
    const { policy, admission } = this.#config;
    const named: Readonly<Partial<Record<KeyListName, readonly string[]>>> = {
      denied: policy.pubkeys_denied_files,
      allowed: policy.pubkeys_allowed_files,
      admitted: admission.files,
    };
    this.#files = new Map();
    for (const [list, paths] of Object.entries(named) as [KeyListName, readonly string[]][]) {
      const absolute = paths.map((path) => resolve(path));
      if (paths.length > 0) this.#files.set(list, new KeyFiles(absolute, this.#parts.log));
    }
  }

  /** Runs one check; a failure is logged and the next check retries. */
  async #look(): Promise<void> {
    if (this.#looking || this.#stopped) return;
    this.#looking = true;
    try {
      for (const [list, files] of this.#files) {
        const keys = await files.look(this.#parts.clock.seconds());
        if (keys !== null) this.#tell(list, keys);
      }
      await this.#trust();
    } catch (error) {
      this.#parts.log.error('the access lists could not be updated', { error: String(error) });
    } finally {
      this.#looking = false;
    }
  }

  async #trust(): Promise<void> {
    const { clock, log } = this.#parts;
    const { roots, depth, followers_min, keys_max, refresh_seconds } = this.#config.trust;
    if (roots.length === 0 || clock.seconds() < this.#trustDue) return;
    const start = clock.milliseconds();
    const limits = { depth, followersMin: followers_min, keysMax: keys_max };
    this.#trustDue = clock.seconds() + refresh_seconds;
    const trusted = await webOfTrust(this.#profiles, roots, limits);
    if (this.#stopped) return;
    if (trusted.size === roots.length) {
      this.#trustDue = Math.min(this.#trustDue, clock.seconds() + BARE_SECONDS);
      log.debug('the web of trust has only its roots: their follow lists are not stored here yet');
    }
    if (trusted.size !== this.#trusted) {
      const milliseconds = Math.round(clock.milliseconds() - start);
      log.info('the web of trust was computed', { people: trusted.size, milliseconds });
    }
    this.#trusted = trusted.size;
    this.#tell('trusted', KeySet.of(trusted));
  }

  #tell(list: KeyListName, keys: KeySet): void {
    this.#share({ t: 'keys', list, keys: keys.buffer });
  }
}
