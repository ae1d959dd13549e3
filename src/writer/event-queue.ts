// Fair queue of validated events before their transaction. Owned by the writer thread.

import type { RecordReader } from '../channel/records.ts';
import { present } from '../lib/assert.ts';
import { FairQueue, Share } from '../lib/fair-queue.ts';
import { Fifo } from '../lib/fifo.ts';
import { CheckedEvent } from '../messages/ingester-writer.ts';
import { KIND_DELETION } from '../protocol/kinds.ts';

/**
 * Terms that make a unit of work, which is that of a text note (0.1 ms): terms are written into the
 * index, and every target of a deletion is looked up and gets a tombstone.
 */
const TERMS_A_UNIT = 16;
const DELETION_TERMS_A_UNIT = 3;

/** Queued events of one connection, in order. */
class EventTurns extends Share {
  readonly connId: number;
  readonly events = new Fifo<CheckedEvent>();

  constructor(connId: number) {
    super();
    this.connId = connId;
  }
}

/**
 * Validated events that wait for their transaction. While all fit into the next one, they are taken
 * in order of arrival. Beyond that, connections take turns, the one that has made the least work
 * first, so that a client that publishes little does not wait for the flood of another. Events of
 * one connection keep their order. Bounded by `writer.queue_events_max`, which the ingesters count.
 */
export class EventQueue {
  readonly #batches: RecordReader[] = [];
  readonly #connections = new Map<number, EventTurns>();
  readonly #turns = new FairQueue<EventTurns>();

  get isEmpty(): boolean {
    return this.#batches.length === 0 && this.#connections.size === 0;
  }

  /** Adds the records of a batch. */
  add(batch: RecordReader): void {
    this.#batches.push(batch);
  }

  /**
   * Takes the events of the next transaction: at most `eventsMax` events and as many units of work.
   * An event that exceeds the bound alone has a transaction of its own, so that no other waits for
   * it.
   */
  take(eventsMax: number): CheckedEvent[] {
    const taken: CheckedEvent[] = [];
    let work = 0;
    const fits = (units: number) => taken.length === 0 || work + units <= eventsMax;
    if (this.#connections.size > 0) this.#sort();
    while (taken.length < eventsMax) {
      const waiting = this.#read();
      if (waiting === undefined) break;
      const units = workOf(waiting);
      if (!fits(units)) {
        this.#put(waiting);
        break;
      }
      taken.push(waiting);
      work += units;
    }
    // The rest has to wait.
    this.#sort();
    while (taken.length < eventsMax) {
      const connection = this.#turns.first;
      const next = connection?.events.first;
      if (connection === undefined || next === undefined) break;
      const units = workOf(next);
      if (!fits(units)) break;
      this.#turns.take();
      connection.events.shift();
      taken.push(next);
      work += units;
      connection.used += units;
      if (connection.events.size === 0) this.#connections.delete(connection.connId);
      else this.#wait(connection);
    }
    return taken;
  }

  /** Returns the next event in order of arrival. */
  #read(): CheckedEvent | undefined {
    const batch = this.#batches[0];
    if (batch === undefined) return undefined;
    const event = new CheckedEvent(batch);
    if (!batch.more) this.#batches.shift();
    return event;
  }

  /** Moves all events from the batches to their connections. */
  #sort(): void {
    for (let waiting = this.#read(); waiting !== undefined; waiting = this.#read()) {
      this.#put(waiting);
    }
  }

  #put(waiting: CheckedEvent): void {
    const { connId } = waiting;
    let connection = this.#connections.get(connId);
    if (connection === undefined) {
      connection = new EventTurns(connId);
      this.#connections.set(connId, connection);
    }
    connection.events.push(waiting);
    this.#wait(connection);
  }

  #wait(connection: EventTurns): void {
    const next = present(connection.events.first, 'event of a connection that waits');
    this.#turns.add(connection, workOf(next));
  }
}

function workOf({ kind, terms }: CheckedEvent): number {
  return 1 + terms.length / (kind === KIND_DELETION ? DELETION_TERMS_A_UNIT : TERMS_A_UNIT);
}
