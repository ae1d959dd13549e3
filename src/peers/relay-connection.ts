// Client connection to a relay: the running one through its local socket, or another one.

import type { Agent } from 'node:http';
import type { Socket } from 'node:net';
import WebSocket from 'ws';
import { systemClock } from '../lib/clock.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { KIND_AUTH } from '../protocol/kinds.ts';
import type { RelaySigner } from '../protocol/relay-signer.ts';
import { PeerError } from './peer-error.ts';

/** Largest message that is taken; relays send events of up to 1 MB, and id lists as hex. */
const MESSAGE_BYTES_MAX = 8 * 1024 * 1024;
const LOOK_MILLISECONDS = 1_000;
const CLOSE_MILLISECONDS = 2_000;
export const AUTH_REQUIRED = 'auth-required:';

/** Options of a connection. */
export interface ConnectionOptions {
  /** Time for the handshake, and for an answer while one is outstanding. */
  readonly timeoutMilliseconds: number;
  /** Agent that connects through a proxy. */
  readonly agent?: Agent | undefined;
  /** Signer of the key that authenticates the connection (NIP-42); null: none does. */
  readonly signer?: RelaySigner | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Answer to an EVENT. */
export interface PublishResult {
  readonly ok: boolean;
  readonly message: string;
}

/** Receiver of what a subscription gets. */
export interface SubscriptionHandlers {
  /** Called for each event, with its JSON as it came. */
  event(event: NostrEvent, json: string): void;
  /** Called after the stored events. */
  eose(): void;
  /** Called when the relay ends the subscription. */
  closed(why: string): void;
}

/** Answer in a negentropy session: a message, or the reason why the session ended. */
export type NegAnswer =
  | { readonly t: 'message'; readonly message: Buffer }
  | { readonly t: 'error'; readonly why: string };

/** Outstanding request: what to do with its answer, and when the connection ends. */
interface Waiting<Answer> {
  readonly done: (answer: Answer) => void;
  readonly fail: (error: PeerError) => void;
}

type Message = readonly [string, ...unknown[]];

/**
 * Client connection to a relay. Requests fail with a PeerError when the connection ends, or when
 * the relay sends nothing for `timeoutMilliseconds` while an answer is outstanding.
 */
export class RelayConnection {
  readonly url: string;
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<string>;
  /** Called for a NOTICE; the protocol has no addressee for it. */
  onNotice: (text: string) => void = () => {};
  /** Bytes of negentropy messages so far, both ways. */
  negentropyBytes = 0;
  readonly #socket: WebSocket;
  readonly #options: ConnectionOptions;
  /** Requests by event id; an event that is sent again meanwhile gets a second answer. */
  readonly #publishing = new Map<string, Waiting<PublishResult>[]>();
  readonly #subscriptions = new Map<string, SubscriptionHandlers>();
  /** Subscriptions whose stored events are still being sent. */
  readonly #reading = new Set<string>();
  readonly #sessions = new Map<string, Waiting<NegAnswer>>();
  readonly #timer: NodeJS.Timeout;
  #challenge = '';
  #authentication: Promise<PublishResult> | null = null;
  #lastId = 0;
  /** Times of the last message, the last pong, and the first of the requests that wait. */
  #heardAt = performance.now();
  #pongAt = 0;
  #askedAt = 0;
  #why = '';
  #end: (why: string) => void = () => {};
  /** Socket of the connection while it gathers what is sent in this turn, else null. */
  #gathering: Socket | null = null;
  #raw: Socket | null = null;
  /** Holders that have stopped the reading. */
  readonly #holders = new Set<object>();

  private constructor(url: string, socket: WebSocket, options: ConnectionOptions) {
    this.url = url;
    this.#socket = socket;
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    socket.on('message', (data, isBinary) => {
      this.#heardAt = performance.now();
      if (!isBinary) this.#message((data as Buffer).toString());
    });
    socket.on('pong', () => {
      this.#pongAt = performance.now();
    });
    socket.once('upgrade', ({ socket: raw }) => {
      this.#raw = raw;
    });
    socket.on('error', (error) => {
      this.#why ||= error.message;
    });
    socket.on('close', (code, reason) => this.#closed(code, reason.toString()));
    this.#timer = setInterval(() => this.#look(), LOOK_MILLISECONDS);
  }

  /**
   * Connects to a relay.
   *
   * @param url `ws://…`, `wss://…`, or `ws+unix:PATH:/…` for a Unix socket.
   * @throws PeerError
   */
  static async open(url: string, options: ConnectionOptions): Promise<RelayConnection> {
    const { timeoutMilliseconds, agent, signal } = options;
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, {
        handshakeTimeout: timeoutMilliseconds,
        maxPayload: MESSAGE_BYTES_MAX,
        agent,
      });
    } catch (error) {
      throw new PeerError((error as Error).message);
    }
    const connection = new RelayConnection(url, socket, options);
    const onAbort = () => socket.terminate();
    signal?.addEventListener('abort', onAbort);
    void connection.ended.then(() => signal?.removeEventListener('abort', onAbort));
    if (signal?.aborted === true) socket.terminate();
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      void connection.ended.then((why) => reject(new PeerError(why)));
    });
    connection.#heardAt = performance.now();
    return connection;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Sends an event and resolves with the answer. @throws PeerError */
  async publish(id: string, json: string): Promise<PublishResult> {
    const result = await this.#publish(id, json);
    if (result.ok || !result.message.startsWith(AUTH_REQUIRED)) return result;
    return (await this.authenticate()) ? this.#publish(id, json) : result;
  }

  #publish(id: string, json: string): Promise<PublishResult> {
    return new Promise((done, fail) => {
      if (!this.#mayAsk(fail)) return;
      this.#await(id, { done, fail });
      this.#gather();
      this.#socket.send(`["EVENT",${json}]`);
    });
  }

  /** Has the messages of this turn leave in one write, which costs 20 µs for each of them else. */
  #gather(): void {
    if (this.#gathering !== null || this.#raw === null) return;
    this.#gathering = this.#raw;
    this.#gathering.cork();
    setImmediate(() => {
      this.#gathering?.uncork();
      this.#gathering = null;
    });
  }

  /** Opens a subscription; returns the function that closes it. */
  subscribe(filters: readonly object[], handlers: SubscriptionHandlers): () => void {
    const id = this.#nextId();
    const request = JSON.stringify(['REQ', id, ...filters]);
    let mayRetry = true;
    const closed = (why: string) => {
      if (!mayRetry || !why.startsWith(AUTH_REQUIRED)) {
        handlers.closed(why);
        return;
      }
      mayRetry = false;
      void this.authenticate().then((isDone) => {
        if (isDone && this.isOpen) open();
        else handlers.closed(why);
      });
    };
    const open = () => {
      this.#subscriptions.set(id, { ...handlers, closed });
      this.#reading.add(id);
      this.#socket.send(request);
    };
    if (this.isOpen) open();
    else handlers.closed(this.#why || 'the connection has ended');
    return () => {
      this.#reading.delete(id);
      if (this.#subscriptions.delete(id) && this.isOpen)
        this.#socket.send(JSON.stringify(['CLOSE', id]));
    };
  }

  /** Opens a negentropy session (NIP-77); its id is for `negMessage` and `negClose`. */
  async negOpen(filter: object, message: Buffer): Promise<{ id: string; answer: NegAnswer }> {
    const id = this.#nextId();
    const open = () => this.#neg(id, ['NEG-OPEN', id, filter, message.toString('hex')]);
    const answer = await open();
    const mayRetry = answer.t === 'error' && answer.why.startsWith(AUTH_REQUIRED);
    if (mayRetry && (await this.authenticate())) return { id, answer: await open() };
    return { id, answer };
  }

  /** Sends the next message of a session; resolves with the answer. @throws PeerError */
  negMessage(id: string, message: Buffer): Promise<NegAnswer> {
    return this.#neg(id, ['NEG-MSG', id, message.toString('hex')]);
  }

  negClose(id: string): void {
    if (this.isOpen) this.#socket.send(JSON.stringify(['NEG-CLOSE', id]));
  }

  #neg(id: string, message: Message): Promise<NegAnswer> {
    const { timeoutMilliseconds } = this.#options;
    return new Promise((resolve, fail) => {
      if (!this.#mayAsk(fail)) return;
      // A relay that does not know NIP-77 may say nothing, and is of use otherwise.
      const why = `no answer to ${message[0]} for ${Math.round(timeoutMilliseconds / 1000)} s`;
      const timer = setTimeout(() => this.#negAnswer(id, { t: 'error', why }), timeoutMilliseconds);
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          settle(value);
        };
      this.#sessions.set(id, { done: settled(resolve), fail: settled(fail) });
      const text = JSON.stringify(message);
      this.negentropyBytes += text.length;
      this.#socket.send(text);
    });
  }

  /**
   * Answers the challenge of the relay (NIP-42); returns false without a key or a challenge, or if
   * the relay does not accept the key.
   */
  async authenticate(): Promise<boolean> {
    const { signer } = this.#options;
    if (!signer || (this.#challenge === '' && this.#authentication === null)) return false;
    this.#authentication ??= this.#authenticate(signer, this.#challenge);
    try {
      return (await this.#authentication).ok;
    } catch {
      return false;
    }
  }

  #authenticate(signer: RelaySigner, challenge: string): Promise<PublishResult> {
    const event = signer.sign({
      kind: KIND_AUTH,
      created_at: systemClock.seconds(),
      tags: [
        ['relay', this.url],
        ['challenge', challenge],
      ],
      content: '',
    });
    return new Promise((done, fail) => {
      if (!this.#mayAsk(fail)) return;
      this.#await(event.id, { done, fail });
      this.#socket.send(JSON.stringify(['AUTH', event]));
    });
  }

  /** Stops reading from the relay, because `holder` has not handled yet what it sent. */
  pause(holder: object): void {
    if (!this.isOpen) return;
    this.#holders.add(holder);
    this.#socket.pause();
  }

  /** Reads on when no other holder has stopped it. */
  resume(holder: object): void {
    if (!this.#holders.delete(holder) || this.#holders.size > 0) return;
    this.#readOn();
  }

  #readOn(): void {
    this.#heardAt = performance.now();
    this.#pongAt = this.#heardAt;
    this.#socket.resume();
  }

  /** Closes the connection; `why` is the reason that `ended` resolves with. */
  close(why = 'closed by this side'): void {
    this.#why ||= why;
    this.#holders.clear();
    this.#readOn();
    this.#socket.close(1000);
    setTimeout(() => this.#socket.terminate(), CLOSE_MILLISECONDS).unref();
  }

  #await(id: string, waiting: Waiting<PublishResult>): void {
    const others = this.#publishing.get(id);
    if (others === undefined) this.#publishing.set(id, [waiting]);
    else others.push(waiting);
  }

  #nextId(): string {
    return `w${++this.#lastId}`;
  }

  #mayAsk(fail: (error: PeerError) => void): boolean {
    if (this.isOpen) return true;
    fail(new PeerError(this.#why || 'the connection has ended'));
    return false;
  }

  /** Ends a connection that owes an answer, or a pong, and is silent. */
  #look(): void {
    const { timeoutMilliseconds } = this.#options;
    const isWaiting = this.#publishing.size + this.#reading.size > 0;
    const now = performance.now();
    if (!isWaiting || this.#askedAt === 0) this.#askedAt = isWaiting ? now : 0;
    const heardAt = Math.max(this.#heardAt, isWaiting ? this.#askedAt : this.#pongAt);
    const silent = now - heardAt;
    if (this.#holders.size > 0 || !this.isOpen || silent < timeoutMilliseconds / 2) return;
    if (silent > timeoutMilliseconds) {
      this.#why ||= `no answer for ${Math.round(timeoutMilliseconds / 1000)} s`;
      this.#socket.terminate();
    } else this.#socket.ping();
  }

  #closed(code: number, reason: string): void {
    clearInterval(this.#timer);
    const said = reason === '' ? `with code ${code}` : `with code ${code}: ${reason}`;
    this.#why ||= `the relay closed the connection ${said}`;
    const error = new PeerError(this.#why);
    for (const { fail } of [...this.#publishing.values()].flat()) fail(error);
    for (const { fail } of this.#sessions.values()) fail(error);
    for (const { closed } of this.#subscriptions.values()) closed(this.#why);
    this.#publishing.clear();
    this.#sessions.clear();
    this.#subscriptions.clear();
    this.#reading.clear();
    this.#end(this.#why);
  }

  #message(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (!Array.isArray(message)) return;
    const [type, first, second, third] = message as unknown[];
    switch (type) {
      case 'EVENT':
        this.#event(String(first), second, text);
        break;
      case 'OK':
        this.#ok(String(first), second === true, String(third ?? ''));
        break;
      case 'EOSE':
        this.#reading.delete(String(first));
        this.#subscriptions.get(String(first))?.eose();
        break;
      case 'CLOSED': {
        const subscription = this.#subscriptions.get(String(first));
        this.#subscriptions.delete(String(first));
        this.#reading.delete(String(first));
        subscription?.closed(String(second ?? ''));
        break;
      }
      case 'AUTH':
        // Some relays send the same challenge again with every refusal.
        if (first !== this.#challenge) this.#authentication = null;
        this.#challenge = String(first);
        break;
      case 'NEG-MSG':
        this.negentropyBytes += text.length;
        this.#negAnswer(String(first), {
          t: 'message',
          message: Buffer.from(String(second), 'hex'),
        });
        break;
      case 'NEG-ERR':
        this.#negAnswer(String(first), { t: 'error', why: String(second ?? '') });
        break;
      case 'NOTICE':
        // The answer to NEG-OPEN of relays that do not know NIP-77.
        for (const id of [...this.#sessions.keys()])
          this.#negAnswer(id, { t: 'error', why: String(first) });
        this.onNotice(String(first));
        break;
    }
  }

  #event(subId: string, value: unknown, text: string): void {
    const subscription = this.#subscriptions.get(subId);
    if (subscription === undefined || typeof value !== 'object' || value === null) return;
    subscription.event(value as NostrEvent, jsonIn(text, subId) ?? JSON.stringify(value));
  }

  #ok(id: string, ok: boolean, message: string): void {
    const waiting = this.#publishing.get(id);
    if (waiting === undefined) return;
    if (waiting.length === 1) this.#publishing.delete(id);
    waiting.shift()?.done({ ok, message });
  }

  #negAnswer(id: string, answer: NegAnswer): void {
    const waiting = this.#sessions.get(id);
    this.#sessions.delete(id);
    waiting?.done(answer);
  }
}

/** Returns the text of the event in an EVENT message; null if the message has another form. */
function jsonIn(text: string, subId: string): string | null {
  const start = `["EVENT","${subId}",`;
  return text.startsWith(start) && text.endsWith('}]') ? text.slice(start.length, -1) : null;
}
