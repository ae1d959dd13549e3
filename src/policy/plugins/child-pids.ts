// Table of child pids in shared memory, owned by the plugin host and read by its successor.

/**
 * Capacity, more than any relay uses. A process beyond it only survives a crash of the plugin host.
 */
const PLACES = 1024;

/**
 * Table of the child pids of the plugin host, in memory that outlives its thread: after a crash its
 * successor kills them, because a stuck process would not notice the crash.
 */
export class ChildPidTable {
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

  /** Kills the processes of a predecessor, with their process groups. */
  endAll(): void {
    for (const pid of this.#pids) {
      if (pid === 0) continue;
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // The process has already exited.
      }
    }
    this.#pids.fill(0);
  }
}
