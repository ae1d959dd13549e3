import { type Place, WaitingRoom } from './waiting-room.ts';

/** A REQ or COUNT that waits for its verdict. */
export interface WaitingRead extends Place {
  /** Its client has closed it, or it was refused, meanwhile. */
  readonly isCancelled: boolean;
}

interface Waiting {
  readonly subId: string;
  isCancelled: boolean;
}

/** The REQs and COUNTs of a lane that wait for a verdict, in the order of their connections. */
export class WaitingReads {
  readonly #room: WaitingRoom;
  readonly #waiting = new Map<number, Set<Waiting>>();

  constructor(max: number, bytesMax: number) {
    this.#room = new WaitingRoom(max, bytesMax);
  }

  admits(bytes: number): boolean {
    return this.#room.admits(bytes);
  }

  has(connId: number): boolean {
    return this.#room.has(connId);
  }

  take(connId: number, subId: string, bytes: number): WaitingRead {
    const place = this.#room.take(connId, bytes);
    const waiting: Waiting = { subId, isCancelled: false };
    const ofConnection = this.#waiting.get(connId);
    if (ofConnection === undefined) this.#waiting.set(connId, new Set([waiting]));
    else ofConnection.add(waiting);
    return {
      get isCancelled() {
        return waiting.isCancelled;
      },
      settle: (act) => {
        place.settle(() => {
          const all = this.#waiting.get(connId);
          all?.delete(waiting);
          if (all?.size === 0) this.#waiting.delete(connId);
          act();
        });
      },
    };
  }

  /** A subscription ends before it has begun: what waits under its id is only settled. */
  cancel(connId: number, subId: unknown): void {
    for (const waiting of this.#waiting.get(connId) ?? []) {
      if (waiting.subId === subId) waiting.isCancelled = true;
    }
  }

  /** The connection has ended. */
  drop(connId: number): void {
    this.#waiting.delete(connId);
    this.#room.drop(connId);
  }
}
