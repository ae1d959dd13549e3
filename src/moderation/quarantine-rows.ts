// Quarantine of events that look like spam. Owned by the writer thread.

import type { Config } from '../config/options.ts';
import { jsonOf } from '../store/body/body.ts';
import type { Db } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import type { StorableEvent } from '../store/event.ts';

/** Rows dropped in one transaction because of their age. */
const PURGE_MAX = 500;

/**
 * Events that the spam stage holds back until a moderator releases or discards them. Their ids are
 * kept in memory, so that an event that is stored after all costs nothing unless it is one of them.
 * Bound: `spam.quarantine_max`; beyond it the oldest are dropped.
 */
export class Quarantine {
  readonly #config: Config;
  readonly #statements;
  /** Ids, the oldest first. */
  #ids = new Set<string>();

  constructor(config: Config, db: Db) {
    this.#config = config;
    this.#statements = {
      put: db.prepare(sql.INSERT_QUARANTINED),
      drop: db.prepare(sql.DELETE_QUARANTINED),
      ids: db.prepare(sql.SELECT_QUARANTINED_IDS).pluck(),
      before: db.prepare(sql.SELECT_QUARANTINED_BEFORE).pluck(),
      json: db.prepare(sql.SELECT_QUARANTINED_JSON).pluck(),
    };
    this.load();
  }

  /** Loads the ids from the database, at the start and after a rollback. */
  load(): void {
    this.#ids = new Set(this.#statements.ids.all() as string[]);
  }

  has(id: string): boolean {
    return this.#ids.size > 0 && this.#ids.has(id);
  }

  /**
   * Adds an event, with the reason for moderators; inside the writer's transaction, like all
   * changes.
   */
  hold({ id, pubkey, body }: StorableEvent, reason: string, now: number): void {
    if (this.#ids.has(id)) return;
    this.#statements.put.run(id, pubkey, now, reason, jsonOf(body));
    this.#ids.add(id);
    const { quarantine_max: max } = this.#config.spam;
    for (const oldest of this.#ids) {
      if (this.#ids.size <= max) break;
      this.drop(oldest);
    }
  }

  /** Removes an event and returns how many rows there were: 0 or 1. */
  drop(id: string): number {
    this.#ids.delete(id);
    return this.#statements.drop.run(id).changes;
  }

  /** Returns the JSON of a quarantined event as it was received. */
  jsonOf(id: string): string | undefined {
    return this.#statements.json.get(id) as string | undefined;
  }

  /** Returns ids of events that were not released in time. */
  outdated(now: number): string[] {
    if (this.#ids.size === 0) return [];
    const before = now - this.#config.spam.quarantine_seconds;
    return this.#statements.before.all(before, PURGE_MAX) as string[];
  }
}
