// Sender of events over one connection, many at a time.

import { setTimeout as delay } from 'node:timers/promises';
import { RateError } from './peer-error.ts';
import type { PublishResult, RelayConnection } from './relay-connection.ts';
import type { Throttle } from './throttle.ts';

/** Attempts for an event that the relay refuses only for now, and the first pause, in ms. */
const ATTEMPTS = 8;
const PAUSE_MILLISECONDS = 100;
const PAUSE_MILLISECONDS_MAX = 10_000;
/** Longest wait for a rate; a connection on which nothing may be sent for longer is given up. */
const RATE_MILLISECONDS_MAX = 30_000;
/** Share of the window below which a full one takes events again. */
const LOW = 1 / 2;

/** Bounds of the events that wait for their OK. */
export interface Window {
  readonly events: number;
  readonly bytes: number;
  /** Called with the time to each answer. */
  took?(milliseconds: number): void;
}

/** Windows for events to the own relay, and to another one. */
export const LOCAL_WINDOW: Window = { events: 1_000, bytes: 1024 * 1024 };
export const REMOTE_WINDOW: Window = { events: 100, bytes: 512 * 1024 };

/** Receiver of results. */
interface PublisherHandlers {
  /** Called with the bytes of an event that is sent. */
  sent?(bytes: number): void;
  /** Called with the answer to an event. */
  result(id: string, result: PublishResult): void;
  /** Called when a full window takes events again. */
  ready?(): void;
  /** Called once when the connection ends while events wait. */
  failed?(error: Error): void;
}

/** Returns true if an event will be refused whenever it is offered. */
export function isFinal({ ok, message }: PublishResult): boolean {
  return !ok && !/^(?:rate-limited|auth-required|error):/.test(message);
}

/**
 * Sender of events over one connection. Events that the relay refuses with `rate-limited:` are sent
 * again after a pause, which keeps their place in the window, so that the sender slows down.
 */
export class Publisher {
  readonly #connection: RelayConnection;
  readonly #window: Window;
  readonly #handlers: PublisherHandlers;
  #events = 0;
  #bytes = 0;
  #isFull = false;
  /** Resolvers of `room` and `drained`. */
  #waiting: (() => void)[] = [];
  #failure: Error | null = null;
  readonly #throttle: Throttle | null;
  #isThrottled = false;
  /** Events that wait for the rates: those that had been read when the rates were used up. */
  readonly #held: { readonly id: string; readonly json: string }[] = [];

  /** @param throttle rates that all senders of this direction share; null: none. */
  constructor(
    connection: RelayConnection,
    window: Window,
    handlers: PublisherHandlers,
    throttle: Throttle | null = null,
  ) {
    this.#connection = connection;
    this.#window = window;
    this.#handlers = handlers;
    this.#throttle = throttle;
  }

  /** True from when the window is full until it is half empty, and while a rate is used up. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /**
   * Takes an event, also while the window is full: callers look at `isFull`. It is sent at once, or
   * as soon as the rates allow it.
   */
  add(id: string, json: string): void {
    this.#events++;
    this.#bytes += json.length;
    const { events, bytes } = this.#window;
    if (this.#events >= events || this.#bytes >= bytes) this.#isFull = true;
    if (this.#isThrottled) this.#held.push({ id, json });
    else this.#begin(id, json);
  }

  /** Sends an event and charges it to the rates. */
  #begin(id: string, json: string): void {
    this.#handlers.sent?.(json.length);
    this.#charge(json.length);
    const sentAt = performance.now();
    this.#send(id, json).then(
      (result) => {
        this.#window.took?.(performance.now() - sentAt);
        this.#handlers.result(id, result);
        this.#leave(json.length);
      },
      (error: Error) => {
        this.#fail(error);
        this.#leave(json.length);
      },
    );
  }

  #fail(error: Error): void {
    if (this.#failure === null) this.#handlers.failed?.(error);
    this.#failure ??= error;
  }

  /** Charges an event to the rates, and sends no more until they allow it. */
  #charge(bytes: number): void {
    if (this.#throttle === null) return;
    this.#throttle.take(bytes);
    this.#wait(this.#throttle.waitMilliseconds);
  }

  #wait(milliseconds: number): void {
    if (milliseconds === 0) return;
    this.#isThrottled = true;
    this.#isFull = true;
    if (milliseconds > RATE_MILLISECONDS_MAX) {
      this.#fail(new RateError(milliseconds));
      this.#wake();
    } else setTimeout(() => this.#releaseHeld(), milliseconds).unref();
  }

  /** Sends events that the rates held back, as far as they allow it. */
  #releaseHeld(): void {
    this.#isThrottled = false;
    this.#wait(this.#throttle?.waitMilliseconds ?? 0);
    while (!this.#isThrottled && this.#failure === null) {
      const next = this.#held.shift();
      if (next === undefined) break;
      this.#begin(next.id, next.json);
    }
    this.#empty();
  }

  /** Resolves when the window takes an event. @throws the failure of the connection. */
  room(): Promise<void> {
    return this.#until(() => !this.#isFull);
  }

  /** Resolves when every event has its answer. @throws the failure of the connection. */
  drained(): Promise<void> {
    return this.#until(() => this.#events === 0);
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (this.#failure === null && !isSo()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    if (this.#failure !== null) throw this.#failure;
  }

  async #send(id: string, json: string): Promise<PublishResult> {
    for (let attempt = 1, pause = PAUSE_MILLISECONDS; ; attempt++) {
      const result = await this.#connection.publish(id, json);
      if (result.ok || attempt === ATTEMPTS || !result.message.startsWith('rate-limited:'))
        return result;
      await delay(pause * (0.5 + Math.random()));
      pause = Math.min(pause * 2, PAUSE_MILLISECONDS_MAX);
    }
  }

  #leave(bytes: number): void {
    this.#events--;
    this.#bytes -= bytes;
    this.#empty();
  }

  /** Takes events again if the window is empty enough and no rate is used up. */
  #empty(): void {
    const { events, bytes } = this.#window;
    const hasRoom = this.#events <= events * LOW && this.#bytes <= bytes * LOW;
    if (this.#isFull && hasRoom && !this.#isThrottled) {
      this.#isFull = false;
      this.#handlers.ready?.();
    }
    if (!this.#isFull || this.#failure !== null || this.#events === 0) this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
