// Nostr's rules for the event log. Runs on the writer thread, or in a command that owns the
// database.

import type { RuleName } from '../../config/rule-names.ts';
import { element, present } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { isNewer, parseAddress } from '../../protocol/address.ts';
import { isLowerHex } from '../../protocol/canonical.ts';
import type { NostrEvent } from '../../protocol/event.ts';
import { isExpired } from '../../protocol/expiration.ts';
import { isGiftWrap, KIND_DELETION, KIND_REPORT, KIND_VANISH } from '../../protocol/kinds.ts';
import type { Refusal } from '../../protocol/refusal.ts';
import { relaysToVanishFrom } from '../../protocol/vanish.ts';
import { eventOf } from '../body/body.ts';
import type { Db } from '../database/open.ts';
import * as sql from '../database/sql.ts';
import type { StorableEvent, StoredEvent } from '../event.ts';
import { TERM_INDEX_ID, type TermHasher } from '../index/terms.ts';
import type { BanLists } from './ban-lists.ts';
import type { EventLog } from './event-log.ts';
import type { GiftWrapQuota } from './gift-wrap-quota.ts';
import type { Vanish } from './vanish.ts';

/** Result of an event: stored under `seq`, rejected, or a duplicate of a stored event. */
export type Outcome =
  | { t: 'stored'; seq: number }
  | { t: 'duplicate'; message: Refusal }
  | { t: 'refused'; message: Refusal; rule: RuleName };

const DUPLICATE: Outcome = {
  t: 'duplicate',
  message: 'duplicate: this relay has this event already',
};
const SUPERSEDED: Outcome = {
  t: 'refused',
  rule: 'superseded',
  message: 'duplicate: this relay has a newer version of this replaceable event',
};
const DELETED: Outcome = {
  t: 'refused',
  rule: 'deleted',
  message: 'blocked: this event was deleted by its author',
};

const VANISHED: Outcome = {
  t: 'refused',
  rule: 'vanished',
  message: 'blocked: this event belongs to a key that has vanished from this relay',
};
const VANISHED_BEFORE: Outcome = {
  t: 'duplicate',
  message: 'duplicate: this key has vanished from this relay already',
};
const INBOX_FULL: Outcome = {
  t: 'refused',
  rule: 'inbox-full',
  message: 'restricted: the inbox of the recipient is full',
};
const NO_RELAY: Outcome = {
  t: 'refused',
  rule: 'shape',
  message: 'invalid: a request to vanish must have a relay tag',
};

/** Queue of reports (NIP-56), as far as the rules of the event log need it. */
export interface ReportQueue {
  /** Takes a report that was stored under `seq`, inside the writer's transaction. */
  take(report: NostrEvent, seq: number, now: number): void;
}

/**
 * Rules for the event log: no event twice, one living version an address (NIP-01), nothing that was
 * deleted (NIP-09, NIP-59), is banned, or is of a key that has vanished (NIP-62). Runs inside the
 * writer's transaction.
 */
export class EventRules {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #hasher: TermHasher;
  readonly #lists: BanLists;
  readonly #reports: ReportQueue | undefined;
  readonly #vanish: Vanish;
  readonly #giftWraps: GiftWrapQuota | undefined;
  readonly #statements;

  constructor(
    db: Db,
    log: EventLog,
    hasher: TermHasher,
    clock: Clock,
    lists: BanLists,
    vanish: Vanish,
    reports?: ReportQueue,
    giftWraps?: GiftWrapQuota,
  ) {
    this.#giftWraps = giftWraps;
    this.#vanish = vanish;
    this.#reports = reports;
    this.#lists = lists;
    this.#log = log;
    this.#clock = clock;
    this.#hasher = hasher;
    this.#statements = {
      deleteId: db.prepare(sql.INSERT_DELETED_ID),
      deletedId: db.prepare(sql.SELECT_DELETED_ID),
      deleteAddress: db.prepare(sql.UPSERT_DELETED_ADDRESS),
      deletedAddress: db.prepare(sql.SELECT_DELETED_ADDRESS).pluck(),
    };
  }

  /**
   * Returns why an event that is not to be stored (ephemeral, quarantined) may not pass, or null.
   * Tombstones count.
   */
  evaluate(event: StorableEvent): Outcome | null {
    const banned = this.#banned(event);
    if (banned !== null) return banned;
    if (this.#vanish.covers(event)) return VANISHED;
    return this.#isDeleted(event) ? DELETED : null;
  }

  /** Returns a duplicate outcome if the log has the event, else null. */
  known(event: StorableEvent): Outcome | null {
    const found = this.#log.findById(event.id, element(event.terms[TERM_INDEX_ID]));
    return found ? DUPLICATE : null;
  }

  /** Stores an event, or returns why not; a deletion request also takes effect. */
  apply(event: StorableEvent): Outcome {
    const known = this.known(event);
    if (known !== null) return known;
    if (event.kind === KIND_VANISH) {
      const request = eventOf(event.body);
      if (relaysToVanishFrom(request).length === 0) return NO_RELAY;
      // Requests to vanish are accepted from banned keys too (NIP-62).
      if (this.#vanish.concerns(request)) {
        if (!this.#vanish.take(request)) return VANISHED_BEFORE;
        return { t: 'stored', seq: this.#log.append(event) };
      }
    }
    const banned = this.#banned(event);
    if (banned) return banned;
    if (this.#vanish.covers(event)) return VANISHED;
    const isRequest = event.kind === KIND_DELETION || event.kind === KIND_VANISH;
    if (!isRequest && this.#isDeleted(event)) return DELETED;
    if (this.#giftWraps?.isFull(event)) return INBOX_FULL;
    if (event.address !== '') {
      const former = this.#former(event);
      if (former) {
        // An expired version counts as gone, whether it was purged yet or not (NIP-40).
        const gone = isExpired(former.event, this.#clock.seconds());
        const version = { created_at: event.createdAt, id: event.id };
        if (!gone && !isNewer(version, former.event)) return SUPERSEDED;
        this.#log.remove(former, 'replaced');
      }
    }
    if (event.kind === KIND_DELETION) this.#delete(eventOf(event.body));
    const seq = this.#log.append(event);
    if (event.kind === KIND_REPORT) {
      const report = eventOf(event.body);
      this.#reports?.take(report, seq, this.#clock.seconds());
    }
    return { t: 'stored', seq };
  }

  /** Checks the lists again: the event may have been in flight when its ban was made. */
  #banned({ id, pubkey, kind, createdAt }: StorableEvent): Outcome | null {
    if (this.#lists.size === 0) return null;
    const event = { id, pubkey, kind, created_at: createdAt };
    const rejection = this.#lists.rejectionOf(event, this.#clock.seconds());
    return rejection && { t: 'refused', message: rejection.refusal, rule: rejection.rule };
  }

  #former(event: StorableEvent): StoredEvent | null {
    const address = parseAddress(event.address);
    const { kind, pubkey, d } = present(address, 'address of an event that newer ones replace');
    return this.#log.findByAddress(kind, pubkey, d);
  }

  #isDeleted(event: StorableEvent): boolean {
    const { idBytes, pubkeyBytes } = event;
    if (this.#statements.deletedId.get(idBytes, pubkeyBytes)) return true;
    if (event.address !== '') {
      const until = this.#statements.deletedAddress.get(event.address) as number | undefined;
      return until !== undefined && event.createdAt <= until;
    }
    if (!isGiftWrap(event.kind)) return false;
    return recipients(eventOf(event.body)).some(
      (pubkey) => this.#statements.deletedId.get(idBytes, hexBytes(pubkey)) !== undefined,
    );
  }

  /** Carries out a deletion request. Targets that it may not delete are skipped (NIP-09). */
  #delete(request: NostrEvent): void {
    const seen = new Set<string>();
    for (const [name, value] of request.tags) {
      if (value === undefined || (name !== 'e' && name !== 'a')) continue;
      const target = name + value;
      if (seen.has(target)) continue;
      seen.add(target);
      if (name === 'e') this.#deleteId(request, value);
      else this.#deleteAddress(request, value);
    }
  }

  #deleteId(request: NostrEvent, id: string): void {
    if (!isLowerHex(id, 64)) return;
    const found = this.#log.findById(id, this.#hasher.id(id));
    if (found) {
      if (!mayDelete(request.pubkey, found.event)) return;
      this.#log.remove(found, 'deleted');
    }
    this.#statements.deleteId.run(Buffer.from(id, 'hex'), hexBytes(request.pubkey));
  }

  #deleteAddress(request: NostrEvent, text: string): void {
    const address = parseAddress(text);
    if (!address || address.pubkey !== request.pubkey) return;
    const { kind, pubkey, d } = address;
    const found = this.#log.findByAddress(kind, pubkey, d);
    if (found && found.event.created_at <= request.created_at) {
      this.#log.remove(found, 'deleted');
    }
    this.#statements.deleteAddress.run(`${kind}:${pubkey}:${d}`, request.created_at);
  }
}

/**
 * Returns true for own events except requests to delete or to vanish (NIP-09, NIP-62), and for gift
 * wraps addressed to the key (NIP-59).
 */
function mayDelete(pubkey: string, event: NostrEvent): boolean {
  if (event.kind === KIND_DELETION || event.kind === KIND_VANISH) return false;
  if (event.pubkey === pubkey) return true;
  return isGiftWrap(event.kind) && recipients(event).includes(pubkey);
}

function recipients(event: NostrEvent): string[] {
  const found: string[] = [];
  for (const [name, value] of event.tags) {
    if (name === 'p' && value !== undefined && isLowerHex(value, 64)) found.push(value);
  }
  return found;
}

function hexBytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
