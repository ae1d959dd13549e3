// Ban and allow lists that moderators change while the relay runs. Each worker thread has its own
// copy in memory, kept current by `ListUpdate` messages.

import type { NostrEvent } from '../protocol/event.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { type ListEntry, type ListName, listNames, type Stance } from '../store/database/listed.ts';
import { HexPrefixBloom } from './hex-prefix-bloom.ts';
import { type Rejection, refuse } from './rejection.ts';

/** Change of the lists, sent to every worker thread. `all` replaces all entries. */
export type ListUpdate =
  | { t: 'all'; entries: ListEntry[] }
  | { t: 'put'; entries: ListEntry[] }
  | { t: 'drop'; list: ListName; subject: string };

const PUBKEY_BANNED = refuse('pubkey-banned', 'blocked: this author is banned from this relay');

const AUTHOR_REMOVED = refuse(
  'author-removed',
  'blocked: the events of this author up to this time were removed from this relay',
);

const EVENT_BANNED = refuse('event-banned', 'blocked: this event was removed from this relay');

/**
 * In-memory copy of the lists of one thread. Measured on Node 20 for an event that is on no list:
 * 10,000 banned keys and as many events cost 70 ns of CPU, 100,000 of each 250 ns.
 */
export class AccessLists {
  readonly #byList = new Map<ListName, Map<string, ListEntry>>(
    listNames.map((list) => [list, new Map()]),
  );
  readonly #authors = this.#byList.get('author')!;
  readonly #kinds = this.#byList.get('kind')!;

  /** Bloom filters over the keys of both key lists, and over ids; a miss saves the lookup. */
  readonly #keyBloom = new HexPrefixBloom();
  readonly #idBloom = new HexPrefixBloom();

  update(update: ListUpdate): void {
    if (update.t === 'drop') {
      this.#byList.get(update.list)!.delete(update.subject);
      return;
    }
    if (update.t === 'all') {
      for (const map of this.#byList.values()) map.clear();
      this.#keyBloom.clear();
      this.#idBloom.clear();
    }
    for (const entry of update.entries) {
      const { list, subject } = entry;
      this.#byList.get(list)!.set(subject, entry);
      if (list === 'pubkey' || list === 'author') this.#keyBloom.add(subject);
      else if (list === 'event') this.#idBloom.add(subject);
    }
  }

  /** Returns the rejection of an event, or null. `now`: seconds since 1970. */
  rejectionOf(
    event: Pick<NostrEvent, 'id' | 'pubkey' | 'kind' | 'created_at'>,
    now: number,
  ): Rejection | null {
    if (this.#keyBloom.mayHave(event.pubkey)) {
      if (this.stance('pubkey', event.pubkey, now) === 'ban') return PUBKEY_BANNED;
      const removed = this.#authors.get(event.pubkey);
      if (removed && event.created_at <= removed.until && isInForce(removed, now)) {
        return AUTHOR_REMOVED;
      }
    }
    if (this.#idBloom.mayHave(event.id) && this.stance('event', event.id, now) === 'ban') {
      return EVENT_BANNED;
    }
    if (this.#kinds.size > 0 && this.stance('kind', String(event.kind), now) === 'ban') {
      return refuse('kind-banned', kindRefusal(event.kind));
    }
    return null;
  }

  /** Returns the stance of a subject that is in force now, or null. */
  stance(list: ListName, subject: string, now: number): Stance | null {
    const entry = this.#byList.get(list)!.get(subject);
    return entry !== undefined && isInForce(entry, now) ? entry.stance : null;
  }

  /** Returns the entry of a subject, in force or expired. */
  entry(list: ListName, subject: string): ListEntry | undefined {
    return this.#byList.get(list)!.get(subject);
  }

  /** Returns the subjects of a list that have a stance and are in force now. */
  subjects(list: ListName, stance: Stance, now: number): string[] {
    const entries = [...this.#byList.get(list)!.values()];
    return entries
      .filter((entry) => entry.stance === stance && isInForce(entry, now))
      .map(({ subject }) => subject);
  }

  /** Returns all entries, of one list or of all. */
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
  return `blocked: this relay does not accept events of kind ${kind}`;
}
