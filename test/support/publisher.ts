// Client that publishes many events at a time, for tests of crashes, shutdown and load.

import WebSocket from 'ws';
import type { NostrEvent } from '../../src/protocol/event.ts';

/** Content of the OK of an event. */
export interface Verdict {
  accepted: boolean;
  message: string;
}

/**
 * Client that publishes as fast as answers come. It keeps all sent events and their answers, so
 * that a test can check afterwards that the relay kept what it acknowledged.
 */
export class Publisher {
  readonly socket: WebSocket;
  /** Events sent, in order. */
  readonly sent: NostrEvent[] = [];
  /** First OK of each event, by id. */
  readonly verdicts = new Map<string, Verdict>();
  /** Number of OKs received, including several for one event. */
  answers = 0;
  closed: { code: number; reason: string } | null = null;
  #wake: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#wake();
    });
    socket.on('message', (data) => {
      const [verb, id, accepted, message] = JSON.parse(String(data)) as unknown[];
      if (verb !== 'OK') return;
      this.answers++;
      if (!this.verdicts.has(id as string)) {
        this.verdicts.set(id as string, {
          accepted: accepted as boolean,
          message: message as string,
        });
      }
      this.#wake();
    });
  }

  static async connect(url: string): Promise<Publisher> {
    const socket = new WebSocket(url);
    const publisher = new Publisher(socket);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return publisher;
  }

  get unanswered(): number {
    return this.sent.length - this.answers;
  }

  send(event: NostrEvent): void {
    this.sent.push(event);
    this.socket.send(JSON.stringify(['EVENT', event]));
  }

  /**
   * Sends the events of `next`, with at most `inFlight` events unanswered, until `next` returns
   * null or the connection ends; resolves when all are answered or the connection has ended.
   */
  async publish(next: () => NostrEvent | null, inFlight: number): Promise<void> {
    let event: NostrEvent | null = null;
    do {
      while (this.unanswered < inFlight && !this.closed) {
        event = next();
        if (event === null) break;
        this.send(event);
      }
      await this.#change();
    } while (event !== null && !this.closed);
    await this.drained();
  }

  /** Resolves when every event was answered, or the connection has ended. */
  async drained(): Promise<void> {
    while (this.unanswered > 0 && !this.closed) await this.#change();
  }

  /** Resolves at the next answer, or at once if none is outstanding. */
  #change(): Promise<void> {
    if (this.closed || this.unanswered === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
