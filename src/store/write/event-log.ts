// The event log. Owned by the writer thread, or by a command that owns the database.

import { element, present } from '../../lib/assert.ts';
import { addressOf, dTagOf } from '../../protocol/address.ts';
import { isAddressable } from '../../protocol/kinds.ts';
import { bodyOfRow, eventOf, idOf, type StoredBody } from '../body/body.ts';
import { isPacked } from '../body/unpack.ts';
import { StorageError } from '../database/error.ts';
import type { Db } from '../database/open.ts';
import * as sql from '../database/sql.ts';
import { type StorableEvent, StoredEvent } from '../event.ts';
import { IdFilter } from '../index/id-filter.ts';
import { postingKind } from '../index/posting-kind.ts';
import { ID_TERMS, TERM_INDEX_ID, type TermHasher } from '../index/terms.ts';
import type { Removal } from './removal.ts';

interface LogRow {
  seq: number;
  created_at: number;
  kind: number;
  expires_at: number | null;
  json: StoredBody;
}

/** An event of the log that the on-disk index does not hold yet. */
export interface TailEvent {
  seq: number;
  id: string;
  address: string;
  createdAt: number;
  /** Kind in the form that the index keeps (`store/index/posting-kind.ts`). */
  kind: number;
  terms: ArrayLike<number>;
}

/** Event that was removed from the log. */
export interface RemovedEvent {
  readonly seq: number;
  readonly createdAt: number;
  readonly id: string;
}

/** Terms of a large event; most have five to eight. */
const TERMS_AN_EVENT = 12;

/** Filter of stored ids that was filled before, and the last event that is surely in it. */
export interface KnownIds {
  memory: SharedArrayBuffer;
  upTo: number;
}

/** Returns counters of removals, all zero. */
export function noRemovals(): Record<Removal, number> {
  return { replaced: 0, deleted: 0, expired: 0, vanished: 0, other: 0 };
}

/**
 * Returns the term under which the one living version of an address is found (see `TermHasher`).
 */
function addressTerm(hasher: TermHasher, kind: number, pubkey: string, d: string): number {
  return isAddressable(kind) ? hasher.address(kind, pubkey, d) : hasher.authorKind(pubkey, kind);
}

/**
 * Log of stored events: rows appended and removed inside the writer's transaction, and the tail,
 * which holds the events that the on-disk index does not have yet.
 *
 * All changes happen inside a transaction of the writer; after a rollback the tail is loaded again.
 */
export class EventLog {
  head = 0;
  indexedSeq = 0;
  /** Seq up to which the tail is being indexed: some of its postings may be in the index. */
  indexingUpTo = 0;
  /** Number of indexed events removed since the last sweep. */
  unswept = 0;
  /** Number of events removed by reason, since the committer last reset it. */
  removedFor = noRemovals();
  /** Events removed since the committer last emptied it. */
  removed: RemovedEvent[] = [];
  /** Time of receipt of appended events, in seconds since 1970; 0: unknown. */
  now = 0;
  /** Called for every removal, before it is committed. */
  onRemoved: ((event: StoredEvent, reason: Removal) => void) | null = null;
  /** Events by seq, in order of acceptance. */
  readonly tail = new Map<number, TailEvent>();
  /** Number of terms in the tail. */
  tailTerms = 0;
  readonly #tailIds = new Map<string, number>();
  readonly #tailAddresses = new Map<string, number>();
  /** Memory of the filter of stored ids, which the ingesters read too. */
  readonly idFilterMemory: SharedArrayBuffer;
  readonly #idFilter: IdFilter;
  readonly #hasher: TermHasher;
  readonly #statements;

  /**
   * @param idsExpected is the number of events to come, if more are expected than a day brings.
   * @param known spares reading all ids.
   */
  constructor(db: Db, hasher: TermHasher, idsExpected = 0, known?: KnownIds) {
    this.#hasher = hasher;
    this.#statements = {
      heads: db.prepare(sql.SELECT_HEADS),
      log: db.prepare(sql.SELECT_LOG),
      insertPacked: db.prepare(sql.INSERT_PACKED_EVENT),
      insertJson: db.prepare(sql.INSERT_JSON_EVENT),
      body: db.prepare(sql.SELECT_BODY).pluck(),
      postings: db.prepare(sql.SELECT_POSTING_SEQS).pluck(),
      delete: db.prepare(sql.DELETE_EVENT),
      sweepLater: db.prepare(sql.INSERT_SWEEP),
      setMeta: db.prepare(sql.UPSERT_META),
    };
    this.load();
    if (known) {
      this.idFilterMemory = known.memory;
      this.#idFilter = new IdFilter(known.memory);
      for (const row of this.#statements.log.iterate(known.upTo, this.head, -1)) {
        this.#idFilter.add(hasher.id(idOf((row as LogRow).json)));
      }
      return;
    }
    this.idFilterMemory = IdFilter.share(Math.max(this.head, idsExpected));
    this.#idFilter = new IdFilter(this.idFilterMemory);
    const { first, end } = ID_TERMS;
    for (const term of db.prepare(sql.SELECT_TERMS).pluck().iterate(first, end)) {
      this.#idFilter.add(term as number);
    }
    for (const { terms } of this.tail.values()) this.#idFilter.add(element(terms[TERM_INDEX_ID]));
  }

  /** Reads the heads and the tail from the database, at the start and after a rollback. */
  load(): void {
    const heads = this.#statements.heads.get() as { head: number; indexed: number };
    this.head = Math.max(heads.head, heads.indexed);
    this.indexedSeq = heads.indexed;
    this.indexingUpTo = heads.indexed;
    this.removed = [];
    this.removedFor = noRemovals();
    this.tail.clear();
    this.tailTerms = 0;
    this.#tailIds.clear();
    this.#tailAddresses.clear();
    for (const row of this.#rows(heads.indexed, -1)) this.#addToTail(this.#tailEvent(row));
  }

  /** Yields the whole log in slices, in the form that the tail has. */
  *slices(events: number): Generator<TailEvent[]> {
    for (let seq = 0; ; ) {
      const slice = Array.from(this.#rows(seq, events), (row) => this.#tailEvent(row));
      if (slice.length === 0) return;
      yield slice;
      seq = element(slice.at(-1)).seq;
    }
  }

  #rows(after: number, limit: number): Iterable<LogRow> {
    return this.#statements.log.iterate(after, this.head, limit) as Iterable<LogRow>;
  }

  /** @throws StorageError when the row is damaged. */
  #tailEvent(row: LogRow): TailEvent {
    try {
      return this.#readTail(row);
    } catch (cause) {
      const text = `event ${row.seq} of the database is damaged; stop the relay and run wok doctor --repair`;
      throw new StorageError(text, 'damaged', { cause });
    }
  }

  #readTail(row: LogRow): TailEvent {
    const event = eventOf(row.json);
    return {
      seq: row.seq,
      id: event.id,
      address: addressOf(event) ?? '',
      createdAt: row.created_at,
      kind: postingKind(row.kind, row.expires_at ?? 0),
      terms: this.#hasher.ofEvent(event),
    };
  }

  /** Returns the stored event with this id, or null. `term` is the id's term. */
  findById(id: string, term: number): StoredEvent | null {
    if (!this.#idFilter.mayHave(term)) return null;
    const inTail = this.#tailIds.get(id);
    if (inTail !== undefined) return this.#foundInTail(inTail);
    for (const seq of this.#statements.postings.all(term) as number[]) {
      const found = this.#find(seq);
      if (found?.id === id) return found;
    }
    return null;
  }

  /** Returns the living version of a replaceable or addressable event, or null. */
  findByAddress(kind: number, pubkey: string, d: string): StoredEvent | null {
    const inTail = this.#tailAddresses.get(`${kind}:${pubkey}:${d}`);
    if (inTail !== undefined) return this.#foundInTail(inTail);
    const term = addressTerm(this.#hasher, kind, pubkey, d);
    for (const seq of this.#statements.postings.all(term) as number[]) {
      const found = this.#find(seq);
      if (found === null) continue;
      const { event } = found;
      const same = event.kind === kind && event.pubkey === pubkey;
      if (same && (!isAddressable(kind) || dTagOf(event) === d)) return found;
    }
    return null;
  }

  /** Appends an event and returns its seq, the next one. */
  append(event: StorableEvent): number {
    const seq = this.head + 1;
    const { id, createdAt, kind, terms, address, body } = event;
    const { insertPacked, insertJson } = this.#statements;
    (isPacked(body) ? insertPacked : insertJson).run(
      seq,
      createdAt,
      kind,
      event.expiresAt || null,
      body,
      this.now || null,
    );
    this.head = seq;
    this.#idFilter.add(element(terms[TERM_INDEX_ID]));
    const kept = postingKind(kind, event.expiresAt);
    this.#addToTail({ seq, id, address, createdAt, kind: kept, terms });
    return seq;
  }

  /** Removes an event. Its postings, if it has any, are swept later. */
  remove(found: StoredEvent, reason: Removal = 'other'): void {
    this.removedFor[reason]++;
    this.onRemoved?.(found, reason);
    this.#statements.delete.run(found.seq);
    const { id, created_at: createdAt } = found.event;
    this.removed.push({ seq: found.seq, createdAt, id });
    const inTail = this.tail.get(found.seq);
    if (inTail) {
      this.tail.delete(found.seq);
      this.#forget(inTail);
    }
    if (found.seq <= this.indexingUpTo) {
      const { event } = found;
      const terms = Float64Array.from(this.#hasher.ofEvent(event));
      this.unswept++;
      this.#statements.sweepLater.run(found.seq, event.created_at, Buffer.from(terms.buffer));
    }
    // Keeps the seq of the last event from being given out again, whatever was removed.
    if (found.seq === this.head) this.#statements.setMeta.run('seq_floor', this.head);
  }

  /** Removes an event by its seq. Returns false if it is gone already. */
  removeSeq(seq: number, reason: Removal = 'other'): boolean {
    const found = this.#find(seq);
    if (found !== null) this.remove(found, reason);
    return found !== null;
  }

  /**
   * Returns true if the tail is as large as so many events: one with many terms counts as several,
   * as it does in memory.
   */
  isTailOf(events: number): boolean {
    return this.tail.size >= events || this.tailTerms >= events * TERMS_AN_EVENT;
  }

  /** Drops the tail up to `indexingUpTo`, which the index holds now. */
  tailIndexed(): void {
    this.indexedSeq = this.indexingUpTo;
    for (const event of this.tail.values()) {
      if (event.seq > this.indexedSeq) break;
      this.tail.delete(event.seq);
      this.#forget(event);
    }
  }

  /** Returns the body of a stored event, or null if it was removed. */
  bodyOf(seq: number): StoredBody | null {
    return bodyOfRow(this.#statements.body.get(seq));
  }

  #find(seq: number): StoredEvent | null {
    const body = this.bodyOf(seq);
    return body === null ? null : new StoredEvent(seq, body);
  }

  #foundInTail(seq: number): StoredEvent {
    return present(this.#find(seq), 'event of the log that the tail has');
  }

  #addToTail(event: TailEvent): void {
    this.tail.set(event.seq, event);
    this.tailTerms += event.terms.length;
    this.#tailIds.set(event.id, event.seq);
    if (event.address !== '') this.#tailAddresses.set(event.address, event.seq);
  }

  #forget(event: TailEvent): void {
    this.tailTerms -= event.terms.length;
    this.#tailIds.delete(event.id);
    // A newer version may have the address already.
    if (this.#tailAddresses.get(event.address) === event.seq) {
      this.#tailAddresses.delete(event.address);
    }
  }
}
