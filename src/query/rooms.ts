// Send windows of the clients of a query worker: the bound of stored events in flight to each.

/** Unconfirmed bytes to one client from which on io is asked for a confirmation, at most. */
const CONFIRM_BYTES_MAX = 256 * 1024;

interface Room {
  /** Bytes sent and not confirmed yet. */
  bytes: number;
  /** Bytes sent since io was asked; null: not asked. */
  sinceAsked: number | null;
  /** Blocked queries, each with its callback to resume. */
  parked: Map<object, () => void>;
}

/**
 * Send window for every client. A query is blocked while the window of its client is full, until io
 * confirms that the bytes before were sent to the socket, so that a client that does not read costs
 * one bounded amount of memory however many queries it sends.
 */
export class Rooms {
  #bytesMax = 0;
  #confirmBytes = 0;
  readonly #rooms = new Map<number, Room>();

  constructor(bytesMax: number) {
    this.limit(bytesMax);
  }

  /** Sets the size of the windows, in bytes. */
  limit(bytesMax: number): void {
    this.#bytesMax = bytesMax;
    this.#confirmBytes = Math.min(CONFIRM_BYTES_MAX, bytesMax / 2);
  }

  /** Returns true if a query may send; otherwise `resume` is called when it may, or by `wake`. */
  free(connId: number, query: object, resume: () => void): boolean {
    const room = this.#rooms.get(connId);
    if (room === undefined || room.bytes < this.#bytesMax) return true;
    // A confirmation that was not asked for never comes.
    if (room.sinceAsked === null) return true;
    room.parked.set(query, resume);
    return false;
  }

  /** Resumes a cancelled query at once if it is blocked, so that it ends. */
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

  /** Returns true if the next record has to ask for a confirmation, which then counts as asked. */
  confirm(connId: number): boolean {
    const room = this.#rooms.get(connId);
    if (room === undefined || room.sinceAsked !== null || room.bytes < this.#confirmBytes)
      return false;
    room.sinceAsked = 0;
    return true;
  }

  /** Called when io confirms: all bytes up to the record that asked were sent to the socket. */
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

  /** Removes the window of a closed connection, and resumes its queries, which are cancelled. */
  forget(connId: number): void {
    const room = this.#rooms.get(connId);
    this.#rooms.delete(connId);
    for (const resume of room?.parked.values() ?? []) resume();
  }
}
