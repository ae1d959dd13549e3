// Removal of events by a command while no relay runs on the database.

import type { Config } from '../config/options.ts';
import { systemClock } from '../lib/clock.ts';
import type { Db } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import type { TermHasher } from '../store/index/terms.ts';
import { OfflineWriter } from './offline-writer.ts';

const COMMIT_EVENTS = 10_000;

/** Entry of the audit log about a removal. */
interface RemovalNote {
  subject: string;
  reason: string;
}

/** Writer that removes events from a database on which no relay runs. */
export class OfflineRemover {
  readonly #writer: OfflineWriter;

  /** @throws StorageError */
  constructor(storage: Config['storage']) {
    this.#writer = new OfflineWriter(storage, systemClock, {
      commitEvents: COMMIT_EVENTS,
      idsExpected: 0,
    });
  }

  get db(): Db {
    return this.#writer.db;
  }

  get hasher(): TermHasher {
    return this.#writer.hasher;
  }

  /** Removes an event by its seq; returns false if it is gone already. */
  remove(seq: number): boolean {
    return this.#writer.remove(seq);
  }

  /** Sweeps the index, adds the entry to the audit log, and closes the database. */
  close({ subject, reason }: RemovalNote): void {
    this.#writer.commit();
    const audit = this.#writer.db.prepare(sql.INSERT_AUDIT);
    audit.run(systemClock.seconds(), 'shell', 'delete', subject, reason);
    this.#writer.close();
  }

  abandon(): void {
    this.#writer.abandon();
  }
}
