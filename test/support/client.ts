// WebSocket client of a relay, for tests that look at single messages.

import WebSocket from 'ws';
import type { NostrEvent } from '../../src/protocol/event.ts';
import type { Author } from './author.ts';
import { WAIT_MILLISECONDS } from './ceiling.ts';

/** Message of the relay: `["EVENT", …]`, `["OK", …]` and so on. */
export type Message = [verb: string, ...rest: unknown[]];

interface Waiter {
  wanted: (message: Message) => boolean;
  resolve: (message: Message) => void;
  fail: () => void;
}

/** Answer to a REQ up to its EOSE or CLOSED. */
export interface Stored {
  events: NostrEvent[];
  /** The EOSE or CLOSED itself. */
  end: Message;
}

/** WebSocket client that keeps every received message until the test takes it. */
export class Client {
  readonly socket: WebSocket;
  /** Messages that the test has not taken yet, in the order of arrival. */
  readonly inbox: Message[] = [];
  closed: { code: number; reason: string } | null = null;
  /** Challenges received (NIP-42), oldest first; they do not get into the inbox. */
  readonly challenges: string[] = [];
  /** Called with every message except AUTH on arrival; returning true keeps it out of the inbox. */
  tap: (message: Message) => boolean = () => false;
  readonly #waiters: Waiter[] = [];
  readonly #onClosed: ((closed: { code: number; reason: string }) => void)[] = [];
  #queries = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => this.#take(JSON.parse(String(data)) as Message));
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      for (const { fail } of this.#waiters.splice(0)) fail();
      for (const resolve of this.#onClosed) resolve(this.closed);
    });
  }

  static async connect(url: string, options: WebSocket.ClientOptions = {}): Promise<Client> {
    const socket = new WebSocket(url, options);
    const client = new Client(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve());
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        reject(new Error(`HTTP ${response.statusCode}`));
      });
    });
    return client;
  }

  /** Sends a message as JSON, or text as it is. */
  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Takes the next matching message out of the inbox, or waits for it; the others stay. */
  next(wanted: (message: Message) => boolean, what = 'a message'): Promise<Message> {
    const at = this.inbox.findIndex(wanted);
    if (at >= 0) return Promise.resolve(this.inbox.splice(at, 1)[0]!);
    return new Promise((resolve, reject) => {
      const fail = () => {
        clearTimeout(timer);
        const seen = JSON.stringify(this.inbox).slice(0, 500);
        const state = this.closed ? ` (closed ${this.closed.code} ${this.closed.reason})` : '';
        reject(new Error(`${what} did not come${state}; the inbox holds ${seen}`));
      };
      const timer = setTimeout(fail, WAIT_MILLISECONDS);
      const waiter = {
        wanted,
        resolve: (message: Message) => {
          clearTimeout(timer);
          resolve(message);
        },
        fail,
      };
      if (this.closed) fail();
      else this.#waiters.push(waiter);
    });
  }

  /** Takes the next message of any type. */
  any(): Promise<Message> {
    return this.next(() => true);
  }

  /** Publishes an event and waits for its OK. */
  publish(event: unknown): Promise<Message> {
    this.send(['EVENT', event]);
    return this.ok((event as { id?: unknown }).id);
  }

  /** Takes the next OK for this id. */
  ok(id: unknown): Promise<Message> {
    return this.next(([verb, of]) => verb === 'OK' && of === id, `OK for ${String(id)}`);
  }

  /** Sends a REQ and waits for its EOSE or CLOSED; the subscription stays open. */
  async req(subId: string, ...filters: unknown[]): Promise<Stored> {
    this.send(['REQ', subId, ...filters]);
    return this.stored(subId);
  }

  /** Takes the events of a subscription up to its EOSE or CLOSED. */
  async stored(subId: string): Promise<Stored> {
    const events: NostrEvent[] = [];
    for (;;) {
      const message = await this.next(([, of]) => of === subId, `EOSE for ${subId}`);
      if (message[0] !== 'EVENT') return { events, end: message };
      events.push(message[2] as NostrEvent);
    }
  }

  /** Sends a REQ with a fresh id, waits for its EOSE or CLOSED, and closes the subscription. */
  async query(...filters: unknown[]): Promise<Stored> {
    const subId = `query-${++this.#queries}`;
    const stored = await this.req(subId, ...filters);
    if (stored.end[0] === 'EOSE') this.send(['CLOSE', subId]);
    return stored;
  }

  async count(...filters: unknown[]): Promise<Message> {
    const queryId = `count-${++this.#queries}`;
    this.send(['COUNT', queryId, ...filters]);
    return this.next(([, of]) => of === queryId, `COUNT for ${queryId}`);
  }

  /**
   * Waits until the relay has handled all earlier messages, by a query that is answered after them.
   */
  async sync(): Promise<void> {
    await this.query({ ids: ['0'.repeat(64)] });
  }

  /** Takes the next live event of a subscription. */
  async live(subId: string): Promise<NostrEvent> {
    const found = await this.next(
      ([verb, of]) => verb === 'EVENT' && of === subId,
      `live ${subId}`,
    );
    return found[2] as NostrEvent;
  }

  /** Resolves with code and reason when the connection has ended. */
  ended(): Promise<{ code: number; reason: string }> {
    if (this.closed) return Promise.resolve(this.closed);
    return new Promise((resolve) => this.#onClosed.push(resolve));
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.ended();
  }

  /** Authenticates as these authors, one after the other. */
  async auth(...authors: Author[]): Promise<void> {
    for (const author of authors) {
      const [, , accepted, why] = await this.authenticate(
        author.auth(await this.challenge(), this.socket.url),
      );
      if (accepted !== true) throw new Error(`AUTH was refused: ${String(why)}`);
    }
  }

  /** Sends an authentication and waits for its OK. */
  authenticate(event: NostrEvent): Promise<Message> {
    this.send(['AUTH', event]);
    return this.ok(event.id);
  }

  /** Returns the newest challenge; an invalid AUTH makes a relay send it that does so on demand. */
  async challenge(): Promise<string> {
    if (this.challenges.length === 0) await this.sync();
    if (this.challenges.length === 0) {
      this.send(['AUTH', {}]);
      await this.ok('');
    }
    return this.challenges.at(-1)!;
  }

  #take(message: Message): void {
    if (message[0] === 'AUTH') {
      this.challenges.push(String(message[1]));
      return;
    }
    if (this.tap(message)) return;
    const at = this.#waiters.findIndex(({ wanted }) => wanted(message));
    if (at < 0) this.inbox.push(message);
    else this.#waiters.splice(at, 1)[0]!.resolve(message);
  }
}
