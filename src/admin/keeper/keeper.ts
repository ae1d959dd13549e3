import { resolve } from 'node:path';
import type { Config } from '../../config/options.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { nip05Of } from '../../policy/doors/door.ts';
import type {
  KeyListName,
  KeyShare,
  Nip05Message,
  VerifyRequest,
} from '../../policy/doors/keys.ts';
import { KeySet } from '../../policy/key-set.ts';
import type { Db } from '../../storage/open.ts';
import type { TermHasher } from '../../storage/terms.ts';
import { KeyFiles } from './key-files.ts';
import { Verifier } from './verifier.ts';
import { Profiles, webOfTrust } from './web-of-trust.ts';

/** How often files are looked at, and whether the web of trust is due. */
const LOOK_MILLISECONDS = 1_000;
/** A web of nobody but its roots is computed anew so soon: their follow lists may be on their way. */
const BARE_SECONDS = 10;

/** What the keeper needs of its room. */
export interface KeeperParts {
  config: Config;
  db: Db;
  hasher: TermHasher;
  clock: Clock;
  log: Log;
}

/**
 * Keeps the lists of people that the ingester lanes ask: those of files, read anew when one changes, and
 * the web of trust, computed now and then; and looks NIP-05 addresses up. All of it in the admin room,
 * so that no lane ever waits for a disk or a network.
 */
export class Keeper {
  readonly #parts: KeeperParts;
  readonly #share: (share: KeyShare) => void;
  readonly #profiles: Profiles;
  readonly #verifier: Verifier;
  #trusted = -1;
  #config: Config;
  #files = new Map<KeyListName, KeyFiles>();
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  #trustDue = 0;
  #stopped = false;

  /** `share` gives lists to all ingester lanes, those that start later too; `tell` tells those of now. */
  constructor(
    parts: KeeperParts,
    share: (share: KeyShare) => void,
    tell: (message: Nip05Message) => void,
  ) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#share = share;
    this.#profiles = new Profiles(parts.db, parts.hasher);
    this.#verifier = new Verifier(
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

  /** Looks at other files if the configuration names others. A reload reads all of them anew. */
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

  /** One look at a time; a failure is told and the next look comes. */
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
      this.#parts.log.error('the lists of people could not be kept', { error: String(error) });
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
      log.debug('the web of trust has nobody but its roots: their follow lists are not here yet');
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
