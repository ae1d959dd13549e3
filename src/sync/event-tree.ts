// Sets of the ids of stored events that are not private, kept current. Owned by the sync worker.

import type { SetEvent } from '../messages/writer-sync.ts';
import { IdSet } from '../negentropy/id-set.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { compileFilter, type Filter, type Matcher } from '../protocol/filter.ts';
import type { PrivateKinds } from '../protocol/privacy.ts';
import { jsonOf, type StoredBody } from '../store/body/body.ts';
import type { Db } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';

/** Number of events loaded between two checks of the clock. */
const LOAD_ROWS = 1_000;

type Row = [seq: number, createdAt: number, kind: number, expiresAt: number | null, id: Buffer];

/**
 * Ids of all stored events but those of private kinds, or of those of them that match a filter, for
 * sessions with the same conditions, `since` and `until` apart. It is loaded from the log in
 * slices, in the order of the log, while the writer already reports what changes: an event that is
 * added or removed meanwhile is so in the database too, in each slice that is read later.
 *
 * The tree of all events takes new ones as the writer reports them. The report does not tell what a
 * filter asks for: the tree of a filter goes on to load the log (`extend`).
 *
 * Memory: 41 to 45 bytes an event, and some 200 more for one that expires.
 */
export class EventTree {
  readonly #log;
  readonly #body;
  readonly #filter: Filter | null;
  readonly #kinds: ReadonlySet<number> | null;
  /** null: the kind of an event decides. */
  readonly #matches: Matcher | null;
  /** Kinds that are not in it; `begin` has to follow a change. */
  privateKinds: PrivateKinds;
  #set = new IdSet();
  /** Events that expire, by id. */
  #expiring = new Map<string, { createdAt: number; expiresAt: number }>();
  /** No event expires before it. */
  #soonest = Number.POSITIVE_INFINITY;
  /** Head of the log up to which it is loaded; -1: the log is not followed. */
  #head = -1;
  /** Last event that was loaded. */
  #loaded = 0;
  /** Snapshot of the current state, if there is one. */
  #snapshot: IdSet | null = null;

  /** @param filter conditions of its events; null: all are in it. */
  constructor(db: Db, privateKinds: PrivateKinds, filter: Filter | null = null) {
    this.#log = db.prepare(sql.SELECT_SET_EVENTS).raw();
    this.#body = db.prepare(sql.SELECT_BODY).pluck();
    this.privateKinds = privateKinds;
    this.#filter = filter;
    this.#kinds = filter?.kinds ? new Set(filter.kinds) : null;
    const isOfKinds = filter === null || (filter.authors === null && filter.tags.length === 0);
    this.#matches = isOfKinds ? null : compileFilter(filter);
  }

  /** True if it has the events of a filter only. */
  get isOfFilter(): boolean {
    return this.#filter !== null;
  }

  /** True if the writer reports the changes of the log. */
  get isFollowing(): boolean {
    return this.#head >= 0;
  }

  /** True if every event is in it. */
  get isComplete(): boolean {
    return this.isFollowing && this.#loaded >= this.#head;
  }

  /** True if there are events to load. */
  get isLoading(): boolean {
    return this.isFollowing && this.#loaded < this.#head;
  }

  get size(): number {
    return this.#set.size;
  }

  /** Bytes copied so far because snapshots keep an older state (`IdSet.copiedBytes`). */
  get copiedBytes(): number {
    return this.#set.copiedBytes;
  }

  /** Begins to load the log up to `head`, anew. */
  begin(head: number): void {
    this.end();
    this.#head = head;
  }

  /** Has the log loaded up to a later head. */
  extend(head: number): void {
    if (this.isFollowing) this.#head = Math.max(this.#head, head);
  }

  /** Drops all events: the log is not followed any more. */
  end(): void {
    this.#set = new IdSet();
    this.#expiring = new Map();
    this.#soonest = Number.POSITIVE_INFINITY;
    this.#head = -1;
    this.#loaded = 0;
    this.#snapshot = null;
  }

  /** Loads events until `end` (`performance.now()`); the caller has a read transaction open. */
  load(end: number): void {
    while (this.isLoading && performance.now() < end) {
      const rows = this.#log.all(this.#loaded, this.#head, LOAD_ROWS) as Row[];
      for (const [seq, createdAt, kind, expiresAt, id] of rows) {
        if (this.#has(kind, seq)) this.add({ createdAt, kind, expiresAt: expiresAt ?? 0, id });
      }
      this.#loaded = rows.length < LOAD_ROWS ? this.#head : (rows.at(-1)?.[0] ?? this.#head);
    }
  }

  /** Returns true if an event of the log belongs to the filter. */
  #has(kind: number, seq: number): boolean {
    if (this.#kinds !== null && !this.#kinds.has(kind)) return false;
    if (this.#matches === null || this.privateKinds.has(kind)) return true;
    const body = this.#body.get(seq) as StoredBody | undefined;
    return body !== undefined && this.#matches(JSON.parse(jsonOf(body)) as NostrEvent);
  }

  /** Adds an event that the writer reports, or that was loaded. */
  add({ createdAt, kind, expiresAt, id }: SetEvent): void {
    if (!this.isFollowing || this.privateKinds.has(kind)) return;
    if (expiresAt !== 0) {
      this.#expiring.set(textOf(id), { createdAt, expiresAt });
      this.#soonest = Math.min(this.#soonest, expiresAt);
    }
    if (this.#set.add(createdAt, id)) this.#snapshot = null;
  }

  remove(createdAt: number, id: Uint8Array): void {
    if (this.#expiring.size > 0) this.#expiring.delete(textOf(id));
    if (this.#set.remove(createdAt, id)) this.#snapshot = null;
  }

  /** Returns the current state without events that have expired by `now`, in seconds since 1970. */
  snapshot(now: number): IdSet {
    if (now >= this.#soonest) this.#expire(now);
    this.#snapshot ??= this.#set.snapshot();
    return this.#snapshot;
  }

  #expire(now: number): void {
    let soonest = Number.POSITIVE_INFINITY;
    for (const [id, { createdAt, expiresAt }] of this.#expiring) {
      if (expiresAt <= now) this.remove(createdAt, Buffer.from(id, 'latin1'));
      else soonest = Math.min(soonest, expiresAt);
    }
    this.#soonest = soonest;
  }
}

function textOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1');
}
