// Queue of reports (NIP-56). Owned by the writer thread.

import type { Config } from '../config/options.ts';
import { isLowerHex } from '../protocol/canonical.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { Db } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import type { TermHasher } from '../store/index/terms.ts';
import type { BanLists } from '../store/write/ban-lists.ts';
import type { EventLog } from '../store/write/event-log.ts';

/** Report types of NIP-56. */
const TYPES = new Set([
  'nudity',
  'malware',
  'profanity',
  'illegal',
  'spam',
  'impersonation',
  'other',
]);
/** Number of subjects taken from one report. */
const TARGETS_MAX = 10;
/** Number of the oldest reports that are dropped at once. */
const EVICTED = 100;

interface Target {
  id: string;
  isEvent: boolean;
  type: string;
}

/**
 * Queue of reports (kind 1984, NIP-56): one row for every reporter and subject. An event is only
 * queued if it is stored here. Bound: `moderation.reports_max`; beyond it the oldest go, those by
 * untrusted keys first.
 */
export class Reports {
  #config: Config;
  readonly #log: EventLog;
  readonly #lists: BanLists;
  readonly #hasher: TermHasher;
  readonly #statements;
  #count: number;

  constructor(config: Config, db: Db, log: EventLog, lists: BanLists, hasher: TermHasher) {
    this.#config = config;
    this.#log = log;
    this.#lists = lists;
    this.#hasher = hasher;
    this.#statements = {
      put: db.prepare(sql.UPSERT_REPORT),
      count: db.prepare(sql.COUNT_REPORTS).pluck(),
      evict: db.prepare(sql.DELETE_OLDEST_REPORTS),
    };
    this.#count = this.#statements.count.get() as number;
  }

  reconfigure(config: Config): void {
    this.#config = config;
  }

  /** Takes a report that was stored under `seq`; inside the writer's transaction. */
  take(report: NostrEvent, seq: number, now: number): void {
    const max = this.#config.moderation.reports_max;
    if (max === 0) return;
    const trusted = this.#isTrusted(report.pubkey, now) ? 1 : 0;
    for (const { id, isEvent, type } of targetsOf(report)) {
      if (isEvent && !this.#isOpen(id, now)) continue;
      const row = [id, report.pubkey, isEvent ? 1 : 0, type, seq, now, trusted];
      this.#count += this.#statements.put.run(...row).changes;
    }
    if (this.#count > max) {
      // Replaced and dropped rows were counted, too.
      this.#count = this.#statements.count.get() as number;
      const surplus = this.#count - max;
      const evicted = Math.max(surplus, Math.min(EVICTED, max));
      if (surplus > 0) this.#count -= this.#statements.evict.run(evicted).changes;
    }
  }

  /** Returns true if an event is stored and no moderator has allowed it. */
  #isOpen(id: string, now: number): boolean {
    if (this.#lists.stance('event', id, now) === 'allow') return false;
    return this.#log.findById(id, this.#hasher.id(id)) !== null;
  }

  #isTrusted(pubkey: string, now: number): boolean {
    const { admin, info, moderation } = this.#config;
    return (
      pubkey === info.pubkey ||
      admin.pubkeys.includes(pubkey) ||
      admin.moderators.includes(pubkey) ||
      moderation.trusted_reporters.includes(pubkey) ||
      this.#lists.stance('pubkey', pubkey, now) === 'allow'
    );
  }
}

/** Returns the subjects of a report: its events, or else its pubkeys. */
function targetsOf({ tags }: NostrEvent): Target[] {
  const found = new Map<string, Target>();
  const named = (wanted: string) => {
    for (const [name, id, type = ''] of tags) {
      if (name !== wanted || id === undefined || !isLowerHex(id, 64)) continue;
      if (found.size >= TARGETS_MAX) return;
      found.set(id, { id, isEvent: wanted === 'e', type: TYPES.has(type) ? type : 'other' });
    }
  };
  named('e');
  if (found.size === 0) named('p');
  return [...found.values()];
}
