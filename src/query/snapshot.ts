import type { NostrEvent } from '../protocol/event.ts';
import { idOf } from '../storage/body.ts';
import type { Db } from '../storage/open.ts';
import { mayExpire, postingKind } from '../storage/posting-kind.ts';
import * as sql from '../storage/sql.ts';
import { TERM_ALL, type TermHasher } from '../storage/terms.ts';
import type { Entry, Window } from './window.ts';

/** Events of the log read at once to close a gap of the window. */
const CATCH_UP_ROWS = 1_000;

/** A stored event as a query sees it. */
export interface Stored extends Entry {
  id: string;
  /** '' when the body is not wanted, or is to be read again. */
  json: string;
}

/** Lets go of the body; `Snapshot.bodyOf` reads it again. */
export function dropBody(stored: Stored): void {
  if (stored.json === '') return;
  // A slice of a string keeps all of that string in memory.
  stored.id = ` ${stored.id}`.slice(1);
  stored.json = '';
}

/**
 * What a query lane reads: the index behind the log, the log, and the window over what the index does
 * not hold yet, all as of one moment. A snapshot is open only for one slice of work (`enter`, `leave`),
 * so that no query pins the WAL.
 */
export class Snapshot {
  /** The last event that this snapshot sees. */
  head = 0;
  /** The last event that its index holds. */
  indexed = 0;
  readonly window: Window;
  readonly #hasher: TermHasher;
  readonly #now: () => number;
  readonly #statements;
  #openedAt = 0;

  constructor(db: Db, hasher: TermHasher, window: Window, now: () => number) {
    this.window = window;
    this.#hasher = hasher;
    this.#now = now;
    this.#statements = {
      begin: db.prepare('BEGIN'),
      commit: db.prepare('COMMIT'),
      heads: db.prepare(sql.SELECT_HEADS).raw(),
      log: db.prepare(sql.SELECT_LOG).raw(),
      json: db.prepare(sql.SELECT_JSON).pluck(),
      expiry: db.prepare(sql.SELECT_EXPIRY).pluck(),
      newest: db.prepare(sql.SELECT_NEWEST).raw(),
      postings: db.prepare(sql.SELECT_POSTINGS).raw(),
      postingsWithBodies: db.prepare(sql.SELECT_POSTINGS_WITH_BODIES).raw(),
    };
  }

  /** Fills the timeline with the newest events of the index; once, before anything else. */
  load(): void {
    this.#statements.begin.run();
    const [, indexed] = this.#statements.heads.get() as [number, number];
    const { timeline } = this.window;
    const rows = this.#statements.newest.all(TERM_ALL, timeline.eventsMax) as [
      ...PostingRow,
      string,
    ][];
    for (const [createdAt, seq, kind, pubkey] of rows.reverse()) {
      timeline.add(createdAt, seq, kind, this.#hasher.author(pubkey));
    }
    // The second where the index was cut may be there in part.
    if (rows.length === timeline.eventsMax) timeline.raiseFloor(rows[0]![0]);
    this.window.begin(indexed);
    this.#statements.commit.run();
  }

  enter(): void {
    this.#statements.begin.run();
    const [head, indexed] = this.#statements.heads.get() as [number, number];
    this.head = Math.max(head, indexed);
    this.indexed = indexed;
    this.#openedAt = this.#now();
    this.window.advance(indexed);
    if (this.window.head < this.head) this.#catchUp();
  }

  leave(): void {
    this.#statements.commit.run();
  }

  /** One page of a term's list out of the index, strictly behind (createdAt, seq), newest first. */
  postings(term: number, createdAt: number, seq: number, since: number, rows: number): Entry[] {
    const found = this.#statements.postings.all(term, createdAt, seq, since, rows) as PostingRow[];
    return found.map(([createdAt, seq, kind]) => ({ createdAt, seq, kind }));
  }

  /** The same with the bodies; events that were removed are missing. */
  postingsWithBodies(
    term: number,
    createdAt: number,
    seq: number,
    since: number,
    rows: number,
  ): Entry[] {
    const found = this.#statements.postingsWithBodies.all(term, createdAt, seq, since, rows);
    return (found as [...PostingRow, string][]).map(([createdAt, seq, kind, json]) => ({
      createdAt,
      seq,
      kind,
      json,
    }));
  }

  /** The event behind an entry, or null if it was removed or has expired (NIP-40). */
  read(entry: Entry): Stored | null {
    const { createdAt, seq, kind } = entry;
    if (mayExpire(kind)) {
      const expiresAt = this.#statements.expiry.get(seq) as number | undefined;
      if (expiresAt === undefined || expiresAt <= this.#openedAt) return null;
    }
    const json = entry.json ?? (this.#statements.json.get(seq) as string | undefined);
    return json === undefined ? null : { createdAt, seq, kind, id: idOf(json), json };
  }

  /** The body of an event that was read before, or null if it was removed meanwhile. */
  bodyOf({ seq, json }: Stored): string | null {
    if (json !== '') return json;
    return (this.#statements.json.get(seq) as string | undefined) ?? null;
  }

  /** Events of the log in (after, upTo], in order, at most `rows`; removed ones are missing. */
  log(after: number, upTo: number, rows: number): { seq: number; json: string }[] {
    const found = this.#statements.log.all(after, upTo, rows) as LogRow[];
    return found
      .filter(([, , , expiresAt]) => expiresAt === null || expiresAt > this.#openedAt)
      .map(([seq, , , , json]) => ({ seq, json }));
  }

  #catchUp(): void {
    const { window } = this;
    for (;;) {
      const rows = this.#statements.log.all(window.head, this.head, CATCH_UP_ROWS) as LogRow[];
      for (const [seq, createdAt, kind, expiresAt, json] of rows) {
        const terms = this.#hasher.ofEvent(JSON.parse(json) as NostrEvent);
        window.addFromLog({
          seq,
          createdAt,
          kind: postingKind(kind, expiresAt ?? 0),
          terms: Float64Array.from(terms),
        });
      }
      if (rows.length < CATCH_UP_ROWS) break;
    }
    window.reached(this.head);
  }
}

type PostingRow = [createdAt: number, seq: number, kind: number];
type LogRow = [number, number, number, number | null, string];

/** Whether a list of terms stands for every event. */
export function isEverything(terms: readonly number[]): boolean {
  return terms.length === 1 && terms[0] === TERM_ALL;
}
