import type { NostrEvent } from '../protocol/event.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { Sieve } from './sieve.ts';
import { refuse, type Verdict } from './verdict.ts';

/**
 * What people put on lists while the relay runs. `pubkey`, `event`, `kind` and `ip` may be banned or
 * allowed; `author` is an author whose events were removed, up to a moment.
 */
export const listNames = ['pubkey', 'event', 'kind', 'ip', 'author'] as const;
export type ListName = (typeof listNames)[number];

/** A subject is banned or allowed, never both. */
export type Stance = 'ban' | 'allow';

/** What the stations need of one row of the table `listed`. */
export interface ListEntry {
  list: ListName;
  /** A public key or an id in hex, a kind as a number, an address or a network. */
  subject: string;
  stance: Stance;
  /** Seconds since 1970; 0: never. */
  expiresAt: number;
  /** For `author`: events dated up to here were removed, in seconds since 1970. */
  until: number;
}

/** A change of the lists on its way to every lane. `all` replaces everything. */
export type ListUpdate =
  | { t: 'all'; entries: ListEntry[] }
  | { t: 'put'; entries: ListEntry[] }
  | { t: 'drop'; list: ListName; subject: string };

const PUBKEY_BANNED = refuse('pubkey-banned', 'blocked: this author is banned from this relay');
const AUTHOR_REMOVED = refuse(
  'author-removed',
  'blocked: what this author wrote until then was removed from this relay',
);
const EVENT_BANNED = refuse('event-banned', 'blocked: this event was removed from this relay');

/**
 * The lists as one thread has them in memory. Measured on Node 20 for an event that is on none of them:
 * 10,000 banned keys and as many events cost 70 ns of CPU, 100,000 of each 250 ns.
 */
export class Lists {
  readonly #byList = new Map<ListName, Map<string, ListEntry>>(
    listNames.map((list) => [list, new Map()]),
  );
  readonly #authors = this.#byList.get('author')!;
  readonly #kinds = this.#byList.get('kind')!;

  /** Public keys of both lists, and ids: what is in none of them needs no look-up. */
  readonly #keySieve = new Sieve();
  readonly #idSieve = new Sieve();

  update(update: ListUpdate): void {
    if (update.t === 'drop') {
      this.#byList.get(update.list)!.delete(update.subject);
      return;
    }
    if (update.t === 'all') {
      for (const map of this.#byList.values()) map.clear();
      this.#keySieve.clear();
      this.#idSieve.clear();
    }
    for (const entry of update.entries) {
      const { list, subject } = entry;
      this.#byList.get(list)!.set(subject, entry);
      if (list === 'pubkey' || list === 'author') this.#keySieve.add(subject);
      else if (list === 'event') this.#idSieve.add(subject);
    }
  }

  /** Why an event may not be written, or null. `now`: seconds since 1970. */
  verdict(
    event: Pick<NostrEvent, 'id' | 'pubkey' | 'kind' | 'created_at'>,
    now: number,
  ): Verdict | null {
    if (this.#keySieve.mayHave(event.pubkey)) {
      if (this.stance('pubkey', event.pubkey, now) === 'ban') return PUBKEY_BANNED;
      const removed = this.#authors.get(event.pubkey);
      if (removed && event.created_at <= removed.until && isInForce(removed, now)) {
        return AUTHOR_REMOVED;
      }
    }
    if (this.#idSieve.mayHave(event.id) && this.stance('event', event.id, now) === 'ban') {
      return EVENT_BANNED;
    }
    if (this.#kinds.size > 0 && this.stance('kind', String(event.kind), now) === 'ban') {
      return refuse('kind-banned', kindRefusal(event.kind));
    }
    return null;
  }

  /** What a list says of a subject now; null when it is not on it. */
  stance(list: ListName, subject: string, now: number): Stance | null {
    const entry = this.#byList.get(list)!.get(subject);
    return entry !== undefined && isInForce(entry, now) ? entry.stance : null;
  }

  /** What stands on a list, in force or not. */
  entry(list: ListName, subject: string): ListEntry | undefined {
    return this.#byList.get(list)!.get(subject);
  }

  /** The subjects of a list with a stance, in force now. */
  subjects(list: ListName, stance: Stance, now: number): string[] {
    const entries = [...this.#byList.get(list)!.values()];
    return entries
      .filter((entry) => entry.stance === stance && isInForce(entry, now))
      .map(({ subject }) => subject);
  }

  /** All entries, of one list or of all. */
  entries(list?: ListName): ListEntry[] {
    const maps = list === undefined ? [...this.#byList.values()] : [this.#byList.get(list)!];
    return maps.flatMap((map) => [...map.values()]);
  }

  get size(): number {
    let size = 0;
    for (const map of this.#byList.values()) size += map.size;
    return size;
  }
}

function isInForce({ expiresAt }: ListEntry, now: number): boolean {
  return expiresAt === 0 || expiresAt > now;
}

function kindRefusal(kind: number): Refusal {
  return `blocked: this relay takes no events of kind ${kind}`;
}
