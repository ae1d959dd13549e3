/** Beyond this many bytes on the way to one client, io is asked to say when they have left. */
const CONFIRM_BYTES_MAX = 256 * 1024;

interface Room {
  /** Bytes on the way to the client since the last confirmation that is not outstanding. */
  bytes: number;
  /** Bytes sent since io was asked; null: not asked. */
  sinceAsked: number | null;
  parked: (() => void)[];
}

/**
 * How much every client can still take. A query whose client has no room is parked until io says that
 * the bytes before have left for the socket, so that a client that does not read costs one bounded
 * amount of memory however many queries it sends.
 */
export class Rooms {
  readonly #bytesMax: number;
  readonly #confirmBytes: number;
  readonly #rooms = new Map<number, Room>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#confirmBytes = Math.min(CONFIRM_BYTES_MAX, bytesMax / 2);
  }

  /** Whether a query may send on; if not, `resume` is called when it may. */
  free(connId: number, resume: () => void): boolean {
    const room = this.#rooms.get(connId);
    if (room === undefined || room.bytes < this.#bytesMax) return true;
    // Only a confirmation that was asked for will come.
    if (room.sinceAsked === null) return true;
    room.parked.push(resume);
    return false;
  }

  sent(connId: number, bytes: number): void {
    let room = this.#rooms.get(connId);
    if (room === undefined) {
      room = { bytes: 0, sinceAsked: null, parked: [] };
      this.#rooms.set(connId, room);
    }
    room.bytes += bytes;
    if (room.sinceAsked !== null) room.sinceAsked += bytes;
  }

  /** Whether the next record is to ask for a confirmation; if so it counts as asked. */
  confirm(connId: number): boolean {
    const room = this.#rooms.get(connId);
    if (room === undefined || room.sinceAsked !== null || room.bytes < this.#confirmBytes)
      return false;
    room.sinceAsked = 0;
    return true;
  }

  /** io confirms: what was sent up to the asking record has left. */
  confirmed(connId: number): void {
    const room = this.#rooms.get(connId);
    if (room === undefined) return;
    room.bytes = room.sinceAsked ?? 0;
    room.sinceAsked = null;
    if (room.bytes === 0 && room.parked.length === 0) this.#rooms.delete(connId);
    const { parked } = room;
    room.parked = [];
    for (const resume of parked) resume();
  }

  /** The client is gone; what waited for it goes on, to find that it was cancelled. */
  forget(connId: number): void {
    const room = this.#rooms.get(connId);
    this.#rooms.delete(connId);
    for (const resume of room?.parked ?? []) resume();
  }
}
