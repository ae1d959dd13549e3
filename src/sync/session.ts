// Negentropy sessions of a connection, and the work that waits for its turn.

import type { UnpackedFilter } from '../channel/packed-filters.ts';
import { Fifo } from '../lib/fifo.ts';
import { AddressTurns, ConnectionTurns } from '../lib/turns.ts';
import { IdSet } from '../negentropy/id-set.ts';
import { MergedSet } from '../negentropy/merged-set.ts';
import { allOf, type Reply, type Selection } from '../negentropy/reconciliation.ts';
import type { QuotaOwner } from '../policy/rates/read-budget.ts';
import type { SetReader } from './set-reader.ts';

/** Expected cost of a turn in rows: 5 ms at 0.3 µs a row. */
const TURN_ROWS = 16_000;

/**
 * Negentropy session: the ids of the events that its filter matched when it was opened. Later
 * events are not in it, so that both sides compare one state; events that a later authentication
 * lets its client read are.
 */
export class Session {
  readonly subId: string;
  readonly filter: UnpackedFilter;
  /** Events that were read for this session. */
  readonly set = new IdSet();
  /** Snapshot of an event tree that it compares beside them; null: none. */
  base: IdSet | null = null;
  /** Compared events; null: to be selected anew. */
  #selection: Selection | null = null;
  /** Pubkeys for which the set was read; null: it was not read yet. */
  readers: readonly string[] | null = null;
  /** Bytes that it holds, as last counted. */
  bytes = 0;
  /** Time of its last message, in milliseconds of the clock. */
  usedAt: number;
  /** True after NEG-CLOSE, NEG-ERR, or when it was replaced: its waiting messages are dropped. */
  isOver = false;

  constructor(subId: string, filter: UnpackedFilter, now: number) {
    this.subId = subId;
    this.filter = filter;
    this.usedAt = now;
  }

  /** True if the events of its filter may be part of an event tree. */
  get mayBeInTree(): boolean {
    const { ids, limit, matchesNothing } = this.filter;
    return ids === null && limit === null && !matchesNothing;
  }

  /** True if its filter has no conditions but `since` and `until`. */
  get isOfAll(): boolean {
    const { authorBytes, kinds, tags } = this.filter;
    return this.mayBeInTree && authorBytes === null && kinds === null && tags.length === 0;
  }

  /** Sets the pubkeys for which its set was read. */
  wasRead(readers: readonly string[]): void {
    this.readers = readers;
    this.#selection = null;
  }

  /** Events that take part. */
  get selection(): Selection {
    this.#selection ??= this.#select();
    return this.#selection;
  }

  #select(): Selection {
    if (this.base === null) return allOf(this.set);
    const set = new MergedSet(this.base, this.set);
    const [from, to] = set.between(this.filter.since, this.filter.until);
    return { set, from, to };
  }
}

/** Work for a session: reading events into its set, answering a message, or both. */
export interface Task {
  readonly session: Session;
  /** Message to be answered; null: there is none. */
  readonly message: Uint8Array | null;
  /** Cost of its message until it is answered; 0: there is none. */
  readonly cost: number;
  readonly arrivedAt: number;
  /** Pubkeys that the set is to be read for first; null: as it is. */
  readonly readers: readonly string[] | null;
  reader: SetReader | null;
  reply: Reply | null;
}

/** Address with its bytes in `SyncMemory`: of sessions, and of messages that wait. */
export class SyncAddress extends AddressTurns<SyncConnection> {
  bytes = 0;
  waitingBytes = 0;
}

/** Connection with its sessions by id. Its tasks are done one after the other. */
export class SyncConnection extends ConnectionTurns {
  readonly connId: number;
  readonly address: SyncAddress;
  readonly sessions = new Map<string, Session>();
  readonly tasks = new Fifo<Task>();
  /** Quota owner of its work; null: it is not charged. */
  quotaOwner: QuotaOwner | null = null;
  /** Pubkeys that have authenticated on it. */
  readers: readonly string[] = [];
  /** True when it was closed; its tasks are dropped. */
  isClosed = false;
  override readonly expected = TURN_ROWS;

  constructor(connId: number, address: SyncAddress) {
    super();
    this.connId = connId;
    this.address = address;
  }

  override get isWaiting(): boolean {
    return this.tasks.size > 0;
  }
}
