// Gift-wrap quota. Owned by the writer thread.

import type { Config } from '../../config/options.ts';
import type { Clock } from '../../lib/clock.ts';
import { KIND_GIFT_WRAP } from '../../protocol/kinds.ts';
import { eventOf } from '../body/body.ts';
import type { Db } from '../database/open.ts';
import * as sql from '../database/sql.ts';
import type { StorableEvent } from '../event.ts';
import { kindOfPosting } from '../index/posting-kind.ts';
import type { TermHasher } from '../index/terms.ts';
import type { EventLog } from './event-log.ts';

/** Number of recipients for which counts are cached. */
const RECIPIENTS_MAX = 10_000;

interface Count {
  wraps: number;
  /** Seconds since 1970. */
  countedAt: number;
}

/** Quota of gift wraps for each recipient, where the relay is an inbox (`auth.dm_inbox`). */
export class GiftWrapQuota {
  readonly #log: EventLog;
  readonly #hasher: TermHasher;
  readonly #clock: Clock;
  readonly #stored;
  readonly #counts = new Map<number, Count>();
  /** Gift wraps for one recipient; 0: the relay is no inbox. */
  #wrapsMax = 0;

  constructor(db: Db, log: EventLog, hasher: TermHasher, clock: Clock) {
    this.#log = log;
    this.#hasher = hasher;
    this.#clock = clock;
    this.#stored = db.prepare(sql.COUNT_OF_KIND).pluck();
  }

  reconfigure({ auth }: Config): void {
    this.#wrapsMax = auth.dm_inbox ? auth.dm_inbox_events_max : 0;
  }

  /**
   * Returns true if a recipient has all the gift wraps that the relay keeps; else counts the event.
   */
  isFull(event: StorableEvent): boolean {
    if (this.#wrapsMax === 0 || event.kind !== KIND_GIFT_WRAP) return false;
    const { tags } = eventOf(event.body);
    const recipients = new Set(
      tags.flatMap(([name, value]) => (name === 'p' && value ? [value] : [])),
    );
    const counts = [...recipients].map((pubkey) => this.#countOf(this.#hasher.tag('p', pubkey)));
    if (counts.some(({ wraps }) => wraps >= this.#wrapsMax)) return true;
    for (const count of counts) count.wraps++;
    return false;
  }

  #countOf(term: number): Count {
    const known = this.#counts.get(term);
    const now = this.#clock.seconds();
    // A recipient over the quota may have deleted some; that is checked once a second.
    if (known !== undefined && (known.wraps < this.#wrapsMax || known.countedAt === now))
      return known;
    let wraps = this.#stored.get(term, KIND_GIFT_WRAP) as number;
    for (const { kind, terms } of this.#log.tail.values()) {
      if (kindOfPosting(kind) === KIND_GIFT_WRAP && Array.from(terms).includes(term)) wraps++;
    }
    const count = { wraps, countedAt: now };
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size < RECIPIENTS_MAX) break;
      this.#counts.delete(oldest);
    }
    this.#counts.set(term, count);
    return count;
  }
}
