// Channel between two threads: one shared-memory ring for each direction, and a MessagePort for
// wake-up messages and for batches that do not fit. Each thread has one poller (`watch`) for all of
// its channels.

import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { type Memory, ownMemory } from './arena.ts';
import { Ring } from './ring.ts';

/** Wake-up message; every other message on the port is a batch with its number. */
const WAKE = 0;
type Overflow = [number: number, batch: Uint8Array];

/** One end of a channel, for the thread that will use it; the port has to be transferred. */
export interface ChannelEnd {
  readonly port: MessagePort;
  readonly incoming: SharedArrayBuffer;
  readonly outgoing: SharedArrayBuffer;
}

/**
 * Creates a channel and returns its two ends. `there` and `back` are the bytes of its rings, powers
 * of two: first to second and second to first.
 */
export function channelPair(there: number, back: number): [ChannelEnd, ChannelEnd] {
  const { port1, port2 } = new MessageChannel();
  const [first, second] = [Ring.share(there), Ring.share(back)];
  return [
    { port: port1, incoming: second, outgoing: first },
    { port: port2, incoming: first, outgoing: second },
  ];
}

/**
 * Bidirectional link between two threads. Batches go through shared memory, and a message over the
 * port wakes the other thread only if it sleeps: measured on Node 20, waking a thread by a message
 * costs both sides 20 µs of CPU, a batch for a thread that is awake 1 µs. A batch that does not fit
 * into the ring goes over the port as a copy that is transferred to the other side (2 µs for 40
 * KiB, 0.15 ms for 4 MiB); batch numbers keep the order.
 */
export class Channel {
  readonly #port: MessagePort;
  readonly #incoming: Ring;
  readonly #outgoing: Ring;
  readonly #overflow = new Map<number, Uint8Array>();
  #handler: (batch: Uint8Array) => void = () => {};
  #memory: Memory = ownMemory;
  #sent = 0;
  #received = 0;

  constructor({ port, incoming, outgoing }: ChannelEnd) {
    this.#port = port;
    this.#incoming = new Ring(incoming);
    this.#outgoing = new Ring(outgoing);
  }

  /** Starts reading: `handler` gets the batches in order, in memory allocated by `memory`. */
  receive(handler: (batch: Uint8Array) => void, memory = ownMemory): void {
    this.#handler = handler;
    this.#memory = memory;
    this.#port.on('message', (message: typeof WAKE | Overflow) => {
      this.#takeMessage(message);
      poller.wake();
    });
    this.#port.on('close', () => {
      this.drain();
      poller.remove(this);
    });
    poller.add(this);
    poller.poll();
    this.drain();
  }

  /** Registers a callback for the end of the other side. */
  onClose(closed: () => void): void {
    this.#port.on('close', closed);
  }

  close(): void {
    this.#port.close();
  }

  /**
   * Sends a batch; its memory may be reused afterwards. A quiet batch does not wake the other side,
   * which reads it at its next poll, unless the ring has become half full.
   */
  send(batch: Uint8Array, quiet = false): void {
    const number = (this.#sent + 1) | 0;
    if (!this.#outgoing.push(number, batch)) {
      // Not slice(): on a Buffer it makes a view, and a transfer of the view would empty the
      // sender's Buffer.
      const copy = Buffer.allocUnsafeSlow(batch.length);
      copy.set(batch);
      this.#port.postMessage([number, copy] satisfies Overflow, [copy.buffer]);
    }
    this.#sent = number;
    this.#outgoing.sent = number;
    if (!quiet || this.#outgoing.unread > this.#outgoing.size >> 1) this.wakePeer();
  }

  /** True if the other side has not read half a ring: a sender with much to send should wait. */
  get isCongested(): boolean {
    return this.#outgoing.unread > this.#outgoing.size >> 1;
  }

  /** Wakes the other side if it sleeps, so that it reads what was sent. */
  wakePeer(): void {
    if (this.#outgoing.claimWakeup()) this.#port.postMessage(WAKE);
  }

  /** Progress word of this side, which the other side can read at any time. */
  set progress(note: number) {
    this.#incoming.progress = note;
  }

  /** Progress word of the other side; 0 before it has set one. */
  get peerProgress(): number {
    return this.#outgoing.progress;
  }

  /** True if a batch has arrived that was not read yet. */
  get waiting(): boolean {
    return this.#incoming.sent !== this.#received;
  }

  set asleep(asleep: boolean) {
    this.#incoming.asleep = asleep;
  }

  /**
   * Reads the batches sent until now, in order, until `end` (`performance.now()`), but at least
   * one. Returns true if there was any.
   */
  drain(end = Number.POSITIVE_INFINITY): boolean {
    const upTo = this.#incoming.sent;
    if (upTo === this.#received) return false;
    do {
      const number = (this.#received + 1) | 0;
      const batch = this.#incoming.shift(number, this.#memory) ?? this.#fromPort(number);
      if (batch === null) return true;
      this.#received = number;
      this.#handler(batch);
    } while (this.#received !== upTo && performance.now() < end);
    return true;
  }

  #fromPort(number: number): Uint8Array | null {
    for (;;) {
      const batch = this.#overflow.get(number);
      if (batch !== undefined) {
        this.#overflow.delete(number);
        return batch;
      }
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return null;
      // The message may be the wake-up message, which the port's handler will not get any more.
      poller.poll();
      this.#takeMessage(received.message as typeof WAKE | Overflow);
    }
  }

  #takeMessage(message: typeof WAKE | Overflow): void {
    if (message !== WAKE) this.#overflow.set(message[0], message[1]);
  }
}

/**
 * Time for which one channel is read in one turn of the event loop, in milliseconds. The rest is
 * read in the next turn, so that no sender keeps a thread from its timers, its sockets and its
 * other channels.
 */
const TURN_MILLISECONDS = 10;

/**
 * Poller of all channels of a thread. While batches arrive, it polls at the end of each turn of the
 * event loop; only after a poll without a batch does it mark the channels as asleep, so that
 * senders wake the thread.
 */
class ChannelPoller {
  readonly #channels = new Set<Channel>();
  #awake = false;

  add(channel: Channel): void {
    this.#channels.add(channel);
    channel.asleep = !this.#awake;
  }

  remove(channel: Channel): void {
    this.#channels.delete(channel);
  }

  /** Reads the channels now unless a poll is scheduled: a port may have a thousand messages. */
  wake(): void {
    if (!this.#awake) this.read();
  }

  read(): void {
    this.poll();
    this.#drain();
  }

  /** Starts polling at the end of this turn. */
  poll(): void {
    if (this.#awake) return;
    this.#awake = true;
    for (const channel of this.#channels) channel.asleep = false;
    setImmediate(this.#look);
  }

  readonly #look = (): void => {
    if (this.#drain() || !this.#sleep()) setImmediate(this.#look);
  };

  #drain(): boolean {
    let any = false;
    for (const channel of this.#channels) {
      if (channel.drain(performance.now() + TURN_MILLISECONDS)) any = true;
    }
    return any;
  }

  #sleep(): boolean {
    for (const channel of this.#channels) channel.asleep = true;
    for (const channel of this.#channels) {
      if (channel.waiting) {
        for (const one of this.#channels) one.asleep = false;
        return false;
      }
    }
    this.#awake = false;
    return true;
  }
}

/** Poller of this thread: every thread has its own instance of this module. */
const poller = new ChannelPoller();

/** Reads the channels of this thread now, for a caller that delays the next turn of its loop. */
export function readChannels(): void {
  poller.read();
}
