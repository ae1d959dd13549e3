import WebSocket from 'ws';
import type { NostrEvent } from '../../src/protocol/event.ts';

/** What the relay said of an event. */
export interface Verdict {
  accepted: boolean;
  message: string;
}

/**
 * A client that publishes as fast as answers come. It keeps what was sent and what was answered, so
 * that a test can say afterwards what the relay promised.
 */
export class Publisher {
  readonly socket: WebSocket;
  /** Every event sent, in order. */
  readonly sent: NostrEvent[] = [];
  /** The first OK of each event, by id. */
  readonly verdicts = new Map<string, Verdict>();
  /** OKs that came, several for one event included. */
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
   * Sends what `next` makes, with at most `inFlight` events unanswered, until `next` returns null or
   * the connection ends; resolves when everything is answered or the connection has ended.
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

  /** Resolves at the next answer, or at once if there is none to wait for. */
  #change(): Promise<void> {
    if (this.closed || this.unanswered === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
