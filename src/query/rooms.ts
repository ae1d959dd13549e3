/** Beyond this many bytes on the way to one client, io is asked to say when they have left. */
const CONFIRM_BYTES_MAX = 256 * 1024;

interface Room {
  /** Bytes on the way to the client since the last confirmation that is not outstanding. */
  bytes: number;
  /** Bytes sent since io was asked; null: not asked. */
  sinceAsked: number | null;
  /** Queries that wait, each with what lets it go on. */
  parked: Map<object, () => void>;
}

/**
 * How much every client can still take. A query whose client has no room is parked until io says that
 * the bytes before have left for the socket, so that a client that does not read costs one bounded
 * amount of memory however many queries it sends.
 */
export class Rooms {
  #bytesMax = 0;
  #confirmBytes = 0;
  readonly #rooms = new Map<number, Room>();

  constructor(bytesMax: number) {
    this.limit(bytesMax);
  }

  /** So many bytes may be on the way to a client from now on. */
  limit(bytesMax: number): void {
    this.#bytesMax = bytesMax;
    this.#confirmBytes = Math.min(CONFIRM_BYTES_MAX, bytesMax / 2);
  }

  /** Whether a query may send on; if not, `resume` is called when it may, or when it is woken. */
  free(connId: number, query: object, resume: () => void): boolean {
    const room = this.#rooms.get(connId);
    if (room === undefined || room.bytes < this.#bytesMax) return true;
    // Only a confirmation that was asked for will come.
    if (room.sinceAsked === null) return true;
    room.parked.set(query, resume);
    return false;
  }

  /** The query was cancelled: if it waits, it goes on at once, to find that out. */
  wake(connId: number, query: object): void {
    const parked = this.#rooms.get(connId)?.parked;
    const resume = parked?.get(query);
    parked?.delete(query);
    resume?.();
  }

  sent(connId: number, bytes: number): void {
    let room = this.#rooms.get(connId);
    if (room === undefined) {
      room = { bytes: 0, sinceAsked: null, parked: new Map() };
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
    if (room.bytes === 0 && room.parked.size === 0) this.#rooms.delete(connId);
    const { parked } = room;
    room.parked = new Map();
    for (const resume of parked.values()) resume();
  }

  /** The client is gone; what waited for it goes on, to find that it was cancelled. */
  forget(connId: number): void {
    const room = this.#rooms.get(connId);
    this.#rooms.delete(connId);
    for (const resume of room?.parked.values() ?? []) resume();
  }
}
