// Full consistency check of the event log, the index and the tombstones, for `wok doctor`. It reads
// within one transaction and writes nothing.

import { addressOf, dTagOf, isNewer } from '../../protocol/address.ts';
import type { NostrEvent } from '../../protocol/event.ts';
import { isAddressable, KIND_DELETION, KIND_VANISH } from '../../protocol/kinds.ts';
import type { SignatureBackend } from '../../protocol/signature/backend.ts';
import { eventOf, idOf, type StoredBody } from '../../store/body/body.ts';
import type { Db } from '../../store/database/open.ts';
import * as sql from '../../store/database/sql.ts';
import type { TermHasher } from '../../store/index/terms.ts';
import { isSigned, type LogRow, PostingCheck, readStored } from '../check/stored-event.ts';

/** Result of the walk through the whole log. The lists hold seqs of the log. */
export interface LogReport {
  events: number;
  /** Events with a wrong text, id or signature. */
  unreadable: number[];
  /** Reason for the first of them. */
  unreadableWhy: string;
  /** Number of postings that events should have: absent, or with another kind. */
  missing: number;
  /** Number of postings of removed events that no sweep is queued for. */
  dangling: number;
  /** Number of postings that an event has and should not have. */
  wrong: number;
  /** Number of events that are in the log although they are marked as removed. */
  marked: number;
  /** True if the recorded end of the index lies beyond the end of the log. */
  ahead: boolean;
  /** Events that the log already holds at a lower seq. */
  repeated: number[];
  /** Older versions of replaceable events that are stored beside a newer one. */
  superseded: number[];
  /** Events that are stored although a tombstone forbids them. */
  deleted: number[];
}

/**
 * Compares log, index and tombstones with each other, in one read transaction.
 *
 * @param signature checks the signature of every event, 50 µs each; null: signatures are not
 * checked.
 */
export function checkLog(
  db: Db,
  hasher: TermHasher,
  signature: SignatureBackend | null,
  progress: (done: number, total: number) => void,
): LogReport {
  db.exec('BEGIN');
  try {
    return new LogCheck(db, hasher, signature).run(progress);
  } finally {
    db.exec('COMMIT');
  }
}

class LogCheck {
  readonly #db: Db;
  readonly #hasher: TermHasher;
  readonly #signature: SignatureBackend | null;
  readonly #postings: PostingCheck;
  readonly #seqs;
  readonly #body;
  readonly #deletedId;
  readonly #deletedAddress;
  /**
   * null while a request to vanish (NIP-62) is in progress, because some of its events are then
   * still stored legitimately.
   */
  readonly #vanished;
  readonly #report: LogReport = {
    events: 0,
    unreadable: [],
    unreadableWhy: '',
    missing: 0,
    dangling: 0,
    wrong: 0,
    marked: 0,
    ahead: false,
    repeated: [],
    superseded: [],
    deleted: [],
  };

  constructor(db: Db, hasher: TermHasher, signature: SignatureBackend | null) {
    this.#db = db;
    this.#hasher = hasher;
    this.#signature = signature;
    this.#postings = new PostingCheck(db, hasher);
    this.#seqs = db.prepare(sql.SELECT_POSTING_SEQS).pluck();
    this.#body = db.prepare(sql.SELECT_BODY).pluck();
    this.#deletedId = db.prepare(sql.SELECT_DELETED_ID);
    this.#deletedAddress = db.prepare(sql.SELECT_DELETED_ADDRESS).pluck();
    const underWay = db.prepare(sql.SELECT_VANISH_REQUESTS).get(1) !== undefined;
    this.#vanished = underWay ? null : db.prepare(sql.SELECT_VANISHED).pluck();
  }

  run(progress: (done: number, total: number) => void): LogReport {
    const report = this.#report;
    const { head, indexed } = this.#db.prepare(sql.SELECT_HEADS).get() as {
      head: number;
      indexed: number;
    };
    const tombstones = this.#db.prepare(sql.COUNT_TOMBSTONES).pluck().get() as number;
    for (const row of this.#db.prepare(sql.SELECT_LOG).iterate(0, head, -1) as Iterable<LogRow>) {
      if (++report.events % 1000 === 0) progress(row.seq, head);
      const event = this.#read(row);
      if (typeof event === 'string') {
        report.unreadableWhy ||= `event ${row.seq}: ${event}`;
        report.unreadable.push(row.seq);
        continue;
      }
      if (row.seq <= indexed) report.missing += this.#postings.missing(event, row);
      this.#others(event, row);
      if (tombstones > 0 && this.#isDeleted(event)) report.deleted.push(row.seq);
    }
    const { living } = this.#db.prepare(sql.COUNT_SWEEP).get() as { living: number };
    report.marked = living;
    report.ahead = indexed > head;
    this.#countIndex();
    return report;
  }

  /** Returns the event of a row, or a description of what is wrong with it. */
  #read(row: LogRow): NostrEvent | string {
    const event = readStored(row);
    if (typeof event === 'string' || this.#signature === null) return event;
    return isSigned(event, this.#signature) ? event : 'its signature is wrong';
  }

  /** Records the event if the log holds it at a lower seq, or a newer version of it at any seq. */
  #others(event: NostrEvent, { seq }: LogRow): void {
    for (const other of this.#seqs.all(this.#hasher.id(event.id)) as number[]) {
      if (other >= seq) continue;
      const body = this.#body.get(other) as StoredBody | undefined;
      if (body === undefined || idOf(body) !== event.id) continue;
      this.#report.repeated.push(seq);
      return;
    }
    const address = addressOf(event);
    if (address === null) return;
    const { kind, pubkey } = event;
    const term = isAddressable(kind)
      ? this.#hasher.address(kind, pubkey, dTagOf(event))
      : this.#hasher.authorKind(pubkey, kind);
    const seqs = this.#seqs.all(term) as number[];
    if (seqs.length < 2) return;
    for (const other of seqs) {
      if (other === seq) continue;
      const body = this.#body.get(other) as StoredBody | undefined;
      const value = body === undefined ? null : parsed(body);
      if (value === null || value.id === event.id || addressOf(value) !== address) continue;
      if (isNewer(value, event)) {
        this.#report.superseded.push(seq);
        return;
      }
    }
  }

  #isDeleted(event: NostrEvent): boolean {
    // Requests cannot be deleted by other requests (NIP-09, NIP-62).
    if (event.kind === KIND_DELETION || event.kind === KIND_VANISH) return false;
    if (this.#vanished !== null) {
      const vanished = this.#vanished.get(event.pubkey) as number | undefined;
      if (vanished !== undefined && event.created_at <= vanished) return true;
    }
    const [id, pubkey] = [Buffer.from(event.id, 'hex'), Buffer.from(event.pubkey, 'hex')];
    if (this.#deletedId.get(id, pubkey) !== undefined) return true;
    const address = addressOf(event);
    if (address === null) return false;
    const until = this.#deletedAddress.get(address) as number | undefined;
    return until !== undefined && event.created_at <= until;
  }

  #countIndex(): void {
    const report = this.#report;
    const all = this.#db.prepare(sql.COUNT_ALL_POSTINGS).pluck().get() as number;
    const { dangling, swept } = this.#db.prepare(sql.COUNT_DANGLING).get() as {
      dangling: number;
      swept: number;
    };
    report.dangling = dangling - swept;
    // The postings of an unreadable event are unknown, so wrong ones cannot be counted then.
    if (report.unreadable.length === 0) report.wrong = all - dangling - this.#postings.found;
  }
}

function parsed(body: StoredBody): NostrEvent | null {
  try {
    return eventOf(body);
  } catch {
    return null;
  }
}
