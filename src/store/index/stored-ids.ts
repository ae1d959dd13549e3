// Look-up of stored ids outside the writer.

import { bodyOfRow, idOf } from '../body/body.ts';
import { isSqliteError, StorageError } from '../database/error.ts';
import type { Db } from '../database/open.ts';
import * as sql from '../database/sql.ts';
import type { IdFilter } from './id-filter.ts';

/** Look-up of event ids in the index of the database. Only the writer knows the newest events. */
export class StoredIds {
  readonly #filter: IdFilter;
  readonly #postings;
  readonly #body;

  constructor(db: Db, filter: IdFilter) {
    this.#filter = filter;
    this.#postings = db.prepare(sql.SELECT_POSTING_SEQS).pluck();
    this.#body = db.prepare(sql.SELECT_BODY).pluck();
  }

  /** Returns false if the event is certainly not stored; now and then true although it is not. */
  mayHave(term: number): boolean {
    return this.#filter.mayHave(term);
  }

  /** Returns true if the event with this id is stored and indexed. `term` is the id's term. */
  has(id: string, term: number): boolean {
    if (!this.#filter.mayHave(term)) return false;
    try {
      return this.#find(id, term);
    } catch (error) {
      // A damaged page: the writer looks the id up again, and answers.
      if (!isSqliteError(error) && !(error instanceof StorageError)) throw error;
      return false;
    }
  }

  #find(id: string, term: number): boolean {
    for (const seq of this.#postings.all(term) as number[]) {
      const body = bodyOfRow(this.#body.get(seq));
      if (body !== null && idOf(body) === id) return true;
    }
    return false;
  }
}
