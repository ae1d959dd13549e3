import type { Config } from '../config/options.ts';
import { sharedMilliseconds } from '../lib/clock.ts';
import type { DeliveryGroup } from '../messages.ts';
import type { Client } from '../policy/rates/rates.ts';
import type { AddressLoad } from './connection-counts.ts';
import type { CloseReason, IoMeter } from './io-meter.ts';
import type { Frame, LiveEvent, LiveFrame } from './live-frame.ts';
import { closeReason, type ServerSocket } from './uws.ts';

/** What uWebSockets.js keeps for a socket. */
export interface SocketData {
  ip: string;
  /** The Host header of the upgrade. */
  host: string;
  connection: Connection | null;
}

/** How far a subscription has come: live events are held back until its EOSE has left. */
interface Subscription {
  live: boolean;
  /** HOLDs without their RESUME: live events wait while there is one; negative when a RESUME was first. */
  holds: number;
  held: LiveFrame[] | null;
  /** How its live frames begin, since the first came. */
  prefix: Buffer | null;
}

/**
 * One client. io knows of its subscriptions only what keeps their frames in order: query and monitor
 * send by different ways, so a live event may get here before the EOSE that it must not overtake, or
 * after the end of its subscription.
 */
export class Connection {
  readonly id: number;
  readonly socket: ServerSocket;
  readonly ip: string;
  /** Of all connections of its address. */
  readonly load: AddressLoad;
  /** Under which the connections of one network are counted. */
  readonly networkName: string;
  /** The accounts that its messages are charged to; null: its address is exempt from rates. */
  client: Client | null = null;
  /** EVENT, REQ and COUNT messages that are not answered yet, and their cost (`lib/message-cost.ts`). */
  inFlight = 0;
  inFlightCost = 0;
  /** Messages that were refused because of that, since all were answered. */
  refusals = 0;
  /** Frames that leave with the next flush. */
  pending: Frame[] = [];
  pendingBytes = 0;
  /** Bytes of live events that wait for the EOSE or RESUME that they have to follow. */
  heldBytes = 0;
  /** All bytes that wait for it, as `Backlogs` counts them. */
  backlog = 0;
  /** When its socket last took something while bytes waited, in shared milliseconds. */
  drainedAt = 0;
  /** Bytes of pongs that uWebSockets.js has queued since nothing was waiting. */
  pongBytes = 0;
  /** The query lane wants to know when everything so far has left. */
  confirmDue = false;
  closed = false;
  /** Why we ended it; null while we have not. */
  endedBy: CloseReason | null = null;
  readonly openedAt = sharedMilliseconds();
  /** Since the start of the connection, for `wok top`. */
  received = 0;
  receivedBytes = 0;
  sentBytes = 0;
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #meter: IoMeter;
  #lastOpened = 0;

  constructor(
    id: number,
    socket: ServerSocket,
    ip: string,
    load: AddressLoad,
    networkName: string,
    meter: IoMeter,
  ) {
    this.#meter = meter;
    this.id = id;
    this.socket = socket;
    this.ip = ip;
    this.load = load;
    this.networkName = networkName;
  }

  /** Subscriptions that are open. */
  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  get subscribed(): boolean {
    return this.#subscriptions.size > 0;
  }

  /** Whether a message may go on its way to its answer; one that would be the only one always may. */
  mayTake(cost: number, { in_flight_bytes_max: max }: Config['limits']): boolean {
    return this.inFlight === 0 || this.inFlightCost + cost <= max;
  }

  /** A message is on its way to its answer. */
  take(cost: number): void {
    this.inFlight++;
    this.inFlightCost += cost;
    this.load.inFlightCost += cost;
  }

  /** A message of this cost was answered; 0: none was. */
  settle(cost: number): void {
    if (cost === 0) return;
    this.inFlight--;
    if (this.inFlight === 0) this.refusals = 0;
    this.inFlightCost -= cost;
    this.load.inFlightCost -= cost;
  }

  /** A query lane took up a REQ. */
  open(subNo: number): void {
    this.#lastOpened = Math.max(this.#lastOpened, subNo);
    const early = this.#subscriptions.get(subNo);
    if (early === undefined) this.#begin(subNo);
  }

  /** EOSE has been queued: what was held back may follow it. */
  goLive(subNo: number): readonly LiveFrame[] {
    const subscription = this.#subscriptions.get(subNo);
    if (subscription === undefined) return [];
    subscription.live = true;
    return this.#release(subscription);
  }

  /** Stored events are about to come: live ones wait until as many `resume`s as `hold`s have come. */
  hold(subNo: number): void {
    let subscription = this.#subscriptions.get(subNo);
    if (subscription === undefined) {
      if (subNo <= this.#lastOpened) return;
      subscription = this.#begin(subNo);
    }
    subscription.holds++;
  }

  /** The stored events have been queued: what was held back may follow them. */
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

  /** Closes with a close frame; of the reason, as much as fits into it. */
  close(code: number, reason: string): void {
    this.socket.end(code, closeReason(reason));
  }

  /** The connection is closed, and with it all of its subscriptions. */
  endAll(): void {
    this.#meter.subscribed(-this.#subscriptions.size);
    this.#subscriptions.clear();
  }

  /** Drops live events that are held back. */
  dropHeld(concerns: (frame: LiveFrame) => boolean): void {
    for (const subscription of this.#subscriptions.values()) {
      const { held } = subscription;
      if (held === null) continue;
      this.#forgetHeld(subscription);
      subscription.held = held.filter((frame) => !concerns(frame));
      for (const { length } of subscription.held) this.heldBytes += length;
    }
  }

  /** What was held back, if it may leave now. */
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

  /** The frame of a live event, to be queued now; null if it came too early, and is held, or too late. */
  takeLive(subNo: number, event: LiveEvent, group: DeliveryGroup): LiveFrame | null {
    let subscription = this.#subscriptions.get(subNo);
    if (subscription === undefined) {
      if (subNo <= this.#lastOpened) return null;
      subscription = this.#begin(subNo);
    }
    // The group has it in memory that will be used again.
    subscription.prefix ??= Buffer.from(group.prefix);
    const frame = event.frameFor(group, subscription.prefix);
    if (isOpen(subscription)) return frame;
    subscription.held ??= [];
    subscription.held.push(frame);
    this.heldBytes += frame.length;
    return null;
  }
}

/** Whether live events may leave as they come. */
function isOpen({ live, holds }: Subscription): boolean {
  return live && holds <= 0;
}
