// State of a client connection in station io, owned by the main thread.

import type { Config } from '../config/options.ts';
import { sharedMilliseconds } from '../lib/clock.ts';
import type { ConnectionSource } from '../messages/io-ingester.ts';
import type { DeliveryGroup } from '../messages/monitor-io.ts';
import type { Client } from '../policy/rates/rates.ts';
import type { AddressLoad } from './connection-counts.ts';
import type { CloseReason, IoMeter } from './io-meter.ts';
import type { Frame, LiveEvent, LiveFrame } from './live-frame.ts';
import { closeFrameText, type ServerSocket } from './uws.ts';

/** User data of a socket in uWebSockets.js. */
export interface SocketData {
  source: ConnectionSource;
  ip: string;
  /** Host header of the upgrade. */
  host: string;
  connection: Connection | null;
}

/** State of a subscription: live events are held until its EOSE is queued. */
interface Subscription {
  live: boolean;
  /** HOLDs without their RESUME: live events wait while positive; negative if RESUME was first. */
  holds: number;
  held: LiveFrame[] | null;
  /** Beginning of its live frames; null before the first one. */
  prefix: Buffer | null;
}

/**
 * Connection of one client. Of its subscriptions io knows only the state that keeps frames in
 * order: query and monitor send over different channels, so a live event may arrive before the EOSE
 * that it must not overtake, or after the end of its subscription.
 */
export class Connection {
  readonly id: number;
  readonly socket: ServerSocket;
  readonly source: ConnectionSource;
  readonly ip: string;
  /** Load of all connections of its address. */
  readonly load: AddressLoad;
  /** Name under which the connections of its network are counted. */
  readonly networkName: string;
  /** Token buckets that its messages are charged to; null: its address is exempt from rates. */
  client: Client | null = null;
  /** Unanswered EVENT, REQ and COUNT messages, and their cost (`lib/message-cost.ts`). */
  inFlight = 0;
  inFlightCost = 0;
  /** Messages rejected unparsed while others were unanswered; 0 once all are answered. */
  refusals = 0;
  /** Frames to be sent with the next flush. */
  pending: Frame[] = [];
  pendingBytes = 0;
  /** Bytes of live events that wait for the EOSE or RESUME that they must follow. */
  heldBytes = 0;
  /** All bytes that wait for the client, as counted by `Backlogs`. */
  backlog = 0;
  /** Time when its socket last took bytes while some waited, in shared milliseconds. */
  drainedAt = 0;
  /** Bytes of pongs that uWebSockets.js has queued since the socket was last empty. */
  pongBytes = 0;
  /** True if the query worker waits for a window update once all frames so far have been sent. */
  confirmDue = false;
  closed = false;
  /** Reason why io ended it; null while it has not. */
  endedBy: CloseReason | null = null;
  readonly openedAt = sharedMilliseconds();
  /** Counters since the start of the connection, for `wok top`. */
  received = 0;
  receivedBytes = 0;
  sentBytes = 0;
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #meter: IoMeter;
  #lastOpened = 0;

  constructor(
    id: number,
    socket: ServerSocket,
    { source, ip }: Pick<SocketData, 'source' | 'ip'>,
    load: AddressLoad,
    networkName: string,
    meter: IoMeter,
  ) {
    this.#meter = meter;
    this.id = id;
    this.socket = socket;
    this.source = source;
    this.ip = ip;
    this.load = load;
    this.networkName = networkName;
  }

  /** Number of open subscriptions. */
  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  get subscribed(): boolean {
    return this.#subscriptions.size > 0;
  }

  /** Returns true if a message of this cost may be accepted; always if no other is in flight. */
  mayTake(cost: number, { in_flight_bytes_max: max }: Config['limits']): boolean {
    return this.inFlight === 0 || this.inFlightCost + cost <= max;
  }

  /** Counts a message that is in flight until its answer. */
  take(cost: number): void {
    this.inFlight++;
    this.inFlightCost += cost;
    this.load.inFlightCost += cost;
  }

  /** Counts a message of this cost as answered; 0: none was. */
  settle(cost: number): void {
    if (cost === 0) return;
    this.inFlight--;
    if (this.inFlight === 0) this.refusals = 0;
    this.inFlightCost -= cost;
    this.load.inFlightCost -= cost;
  }

  /** Opens a subscription that a query worker has accepted. */
  open(subNo: number): void {
    this.#lastOpened = Math.max(this.#lastOpened, subNo);
    const early = this.#subscriptions.get(subNo);
    if (early === undefined) this.#begin(subNo);
  }

  /** Makes a subscription live after its EOSE was queued; returns the held events to follow. */
  goLive(subNo: number): readonly LiveFrame[] {
    const subscription = this.#subscriptions.get(subNo);
    if (subscription === undefined) return [];
    subscription.live = true;
    return this.#release(subscription);
  }

  /** Holds live events while stored ones are sent, until as many `resume`s as `hold`s have come. */
  hold(subNo: number): void {
    let subscription = this.#subscriptions.get(subNo);
    if (subscription === undefined) {
      if (subNo <= this.#lastOpened) return;
      subscription = this.#begin(subNo);
    }
    subscription.holds++;
  }

  /** Ends a hold after the stored events were queued; returns the held events that may follow. */
  resume(subNo: number): readonly LiveFrame[] {
    const subscription = this.#subscriptions.get(subNo);
    if (subscription === undefined) return [];
    subscription.holds--;
    return this.#release(subscription);
  }

  end(subNo: number): void {
    this.#forgetHeld(this.#subscriptions.get(subNo));
    if (this.#subscriptions.delete(subNo)) this.#meter.subscribed(-1);
  }

  /** Closes with a close frame; the reason is cut to the length that fits into it. */
  close(code: number, reason: string): void {
    this.socket.end(code, closeFrameText(reason));
  }

  /** Ends all subscriptions of a closed connection. */
  endAll(): void {
    this.#meter.subscribed(-this.#subscriptions.size);
    this.#subscriptions.clear();
  }

  /** Drops the held live events that match. */
  dropHeld(concerns: (frame: LiveFrame) => boolean): void {
    for (const subscription of this.#subscriptions.values()) {
      const { held } = subscription;
      if (held === null) continue;
      this.#forgetHeld(subscription);
      subscription.held = held.filter((frame) => !concerns(frame));
      for (const { length } of subscription.held) this.heldBytes += length;
    }
  }

  /** Returns the held events if they may be sent now. */
  #release(subscription: Subscription): readonly LiveFrame[] {
    const { held } = subscription;
    if (held === null || !isOpen(subscription)) return [];
    this.#forgetHeld(subscription);
    return held;
  }

  #forgetHeld(subscription: Subscription | undefined): void {
    for (const { length } of subscription?.held ?? []) this.heldBytes -= length;
    if (subscription !== undefined) subscription.held = null;
  }

  #begin(subNo: number): Subscription {
    const subscription = { live: false, holds: 0, held: null, prefix: null };
    this.#subscriptions.set(subNo, subscription);
    this.#meter.subscribed(1);
    return subscription;
  }

  /** Returns the frame of a live event to be queued now; null if it is early (held) or too late. */
  takeLive(subNo: number, event: LiveEvent, group: DeliveryGroup): LiveFrame | null {
    let subscription = this.#subscriptions.get(subNo);
    if (subscription === undefined) {
      if (subNo <= this.#lastOpened) return null;
      subscription = this.#begin(subNo);
    }
    // Copied, because the memory of the group is reused.
    subscription.prefix ??= Buffer.from(group.prefix);
    const frame = event.frameFor(group, subscription.prefix);
    if (isOpen(subscription)) return frame;
    subscription.held ??= [];
    subscription.held.push(frame);
    this.heldBytes += frame.length;
    return null;
  }
}

/** Returns true if live events may be sent on arrival. */
function isOpen({ live, holds }: Subscription): boolean {
  return live && holds <= 0;
}
