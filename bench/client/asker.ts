// Client for one question at a time, for probes and for reading events back.

import type { NostrEvent } from '../../src/protocol/event.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import type { Target } from './target.ts';

const ANSWER_MILLISECONDS = 10_000;

/** Parsed message of a relay; its first element is the message type. */
export type Message = readonly [verb: string, ...rest: unknown[]];

/** Answer to a REQ. */
interface Answer {
  readonly events: readonly NostrEvent[];
  /** EOSE, or the CLOSED that came instead. */
  readonly end: Message;
  /** Time from sending to `end`. */
  readonly milliseconds: number;
}

interface Waiter {
  readonly wanted: (message: Message) => boolean;
  readonly resolve: (message: Message) => void;
  readonly reject: (error: Error) => void;
}

/** WebSocket client that asks a few questions, one after the other, where speed does not matter. */
export class Asker implements ConnectionOwner {
  /** Messages received, in order. */
  readonly log: Message[] = [];
  #connection: Connection | undefined;
  #waiters: Waiter[] = [];
  #questions = 0;
  #lost = '';

  /** Opens a connection. @throws Error that says why the relay cannot be reached. */
  static async open(target: Target, timeoutMilliseconds = ANSWER_MILLISECONDS): Promise<Asker> {
    const asker = new Asker();
    asker.#connection = await Connection.open(target, asker, { timeoutMilliseconds });
    return asker;
  }

  get handshakeMilliseconds(): number {
    return this.#connection?.handshakeMilliseconds ?? 0;
  }

  send(message: unknown): void {
    this.#connection?.send(JSON.stringify(message));
  }

  /**
   * Waits for the next message that `wanted` accepts. @throws Error when it does not come in time.
   */
  next(
    wanted: (message: Message) => boolean,
    what: string,
    milliseconds = ANSWER_MILLISECONDS,
  ): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== '') {
        reject(new Error(this.#lost));
        return;
      }
      const waiter: Waiter = {
        wanted,
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(new Error(`${what} was not received within ${milliseconds / 1000} s`));
      }, milliseconds);
      this.#waiters.push(waiter);
    });
  }

  /** Publishes an event and returns its OK. */
  publish(event: NostrEvent): Promise<Message> {
    const answer = this.next(([verb, id]) => verb === 'OK' && id === event.id, 'OK');
    this.send(['EVENT', event]);
    return answer;
  }

  /** Asks for stored events, then closes the subscription. */
  async query(filters: readonly unknown[], milliseconds = ANSWER_MILLISECONDS): Promise<Answer> {
    const id = `ask${this.#questions++}`;
    const events: NostrEvent[] = [];
    const isEnd = (message: Message) => {
      if (message[1] !== id) return false;
      if (message[0] === 'EVENT') events.push(message[2] as NostrEvent);
      return message[0] === 'EOSE' || message[0] === 'CLOSED';
    };
    const answer = this.next(isEnd, 'EOSE', milliseconds);
    const began = performance.now();
    this.send(['REQ', id, ...filters]);
    const end = await answer;
    if (end[0] === 'EOSE') this.send(['CLOSE', id]);
    return { events, end, milliseconds: performance.now() - began };
  }

  close(): Promise<void> {
    return this.#connection?.close() ?? Promise.resolve();
  }

  text(_connection: Connection, bytes: Buffer, start: number, end: number): void {
    let message: unknown;
    try {
      message = JSON.parse(bytes.toString('utf8', start, end));
    } catch {
      message = ['(not JSON)', bytes.toString('utf8', start, Math.min(end, start + 100))];
    }
    if (!Array.isArray(message)) return;
    this.log.push(message as unknown as Message);
    const waiter = this.#waiters.find(({ wanted }) => wanted(message as unknown as Message));
    if (waiter === undefined) return;
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
    waiter.resolve(message as unknown as Message);
  }

  closed(_connection: Connection, why: string): void {
    this.#lost = why;
    for (const waiter of this.#waiters) waiter.reject(new Error(why));
    this.#waiters = [];
  }
}
