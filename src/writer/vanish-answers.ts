// Pending answers to requests to vanish. Owned by the writer thread.

import type { RecordWriter } from '../channel/records.ts';
import { writeAnswer, writeVanished } from '../messages/answers.ts';
import type { CheckedEvent } from '../messages/ingester-writer.ts';
import type { VanishedKey } from '../messages/vanished.ts';
import { okAnswer } from '../protocol/answers.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { Awaited, Vanished } from '../store/write/vanish.ts';

/** Number of answers that may wait, each some 300 bytes. */
const WAITING_MAX = 10_000;

const GOES_ON = 'the request to vanish is stored and continues by itself';
const AGAIN = 'send it again to be told when everything is removed';

/** Answers to a request that is stored, when its end is not waited for. */
const NOT_YET = {
  failed: `error: events could not be removed; ${GOES_ON} when they can; ${AGAIN}`,
  stopped: `error: this relay is shutting down; ${GOES_ON} with the next start; ${AGAIN}`,
  restarted: `error: this relay is being restarted; ${GOES_ON}; reconnect and ${AGAIN}`,
  full: `rate-limited: too many requests wait for this answer; ${GOES_ON}; ${AGAIN}`,
} as const satisfies Record<string, Refusal>;

interface Waiting {
  connId: number;
  cost: number;
  id: string;
  message: string;
}

/**
 * OKs to requests to vanish (NIP-62). An OK leaves when everything that its request covers is
 * removed, in a record that makes io wait for everything else of the key that is in flight.
 *
 * Bound: a message that waits is in flight, which each connection has a bound for
 * (`limits.in_flight_bytes_max`); for those of connections that have ended meanwhile there is
 * `WAITING_MAX`, beyond which OK is false.
 */
export class VanishAnswers {
  /** Answers by the id of the request that is being carried out. */
  readonly #waiting = new Map<string, Waiting[]>();
  #count = 0;
  /** Answers by pubkey that wait for no removal. */
  readonly #ready = new Map<string, { key: VanishedKey; answers: Waiting[] }>();

  /** Takes a positive OK of a commit; `writeReady` has to follow it. */
  take(io: RecordWriter, event: CheckedEvent, { message, awaited }: Taken): void {
    const { connId, id, cost } = event;
    const { job, pubkey, until } = awaited;
    const answer = { connId, cost, id, message };
    if (job === null) {
      const ready = this.#ready.get(pubkey);
      ready?.answers.push(answer);
      const upTo = Math.max(until, ready?.key.until ?? 0);
      const key = { pubkey, until: upTo, removed: false };
      this.#ready.set(pubkey, { key, answers: ready?.answers ?? [answer] });
    } else if (this.#count >= WAITING_MAX) writeNotYet(io, answer, 'full');
    else {
      this.#count++;
      const waiting = this.#waiting.get(job);
      if (waiting === undefined) this.#waiting.set(job, [answer]);
      else waiting.push(answer);
    }
  }

  /**
   * Writes the answers that wait for no removal. The records of the same commit for the monitor and
   * query workers must leave before: io asks those workers at once.
   */
  writeReady(io: RecordWriter): void {
    for (const { key, answers } of this.#ready.values()) write(io, key, answers);
    this.#ready.clear();
  }

  /** Writes the answers to a request that was carried out; its removals were announced before. */
  writeVanished(io: RecordWriter, { id, pubkey, until, removed }: Vanished): void {
    const answers = this.#waiting.get(id);
    if (answers === undefined) return;
    this.#waiting.delete(id);
    this.#count -= answers.length;
    write(io, { pubkey, until, removed: removed > 0 }, answers);
  }

  /** Answers all that wait with false, for this reason. */
  giveUp(io: RecordWriter, why: keyof typeof NOT_YET): void {
    for (const answers of this.#waiting.values()) {
      for (const answer of answers) writeNotYet(io, answer, why);
    }
    this.#waiting.clear();
    this.#count = 0;
  }
}

/** A positive OK to a request to vanish. */
interface Taken {
  message: string;
  awaited: Awaited;
}

function writeNotYet(
  io: RecordWriter,
  { connId, cost, id }: Waiting,
  why: keyof typeof NOT_YET,
): void {
  writeAnswer(io, connId, cost, okAnswer(id, false, NOT_YET[why]));
}

function write(io: RecordWriter, key: VanishedKey, answers: readonly Waiting[]): void {
  writeVanished(
    io,
    key,
    answers.map(({ connId, cost, id, message }) => ({
      connId,
      acks: cost,
      frame: okAnswer(id, true, message),
    })),
  );
}
