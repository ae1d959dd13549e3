/** More processes than anybody runs; one that finds no place is only not ended if the room dies. */
const PLACES = 1024;

/**
 * The processes that the plugins' room has started, in memory that outlives its thread: when that dies,
 * its successor ends them, for a process that is stuck would not notice by itself.
 */
export class RollCall {
  readonly #pids: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.#pids = new Int32Array(shared);
  }

  static share(): SharedArrayBuffer {
    return new SharedArrayBuffer(PLACES * 4);
  }

  enter(pid: number): void {
    const place = pid === 0 ? -1 : this.#pids.indexOf(0);
    if (place >= 0) this.#pids[place] = pid;
  }

  leave(pid: number): void {
    const place = pid === 0 ? -1 : this.#pids.indexOf(pid);
    if (place >= 0) this.#pids[place] = 0;
  }

  /** Ends what a predecessor has left behind, with all that it started. */
  endAll(): void {
    for (const pid of this.#pids) {
      if (pid === 0) continue;
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // It has gone by itself.
      }
    }
    this.#pids.fill(0);
  }
}
