import type { RetentionTask } from '../page-api/config.ts';
import { AdminError, type Room } from '../room.ts';
import { Pass } from './pass.ts';

/** A preview that nobody asks for any more ends after so long. */
const WATCHED_MILLISECONDS = 60_000;

interface Task {
  readonly what: 'preview' | 'run';
  readonly pass: Pass;
  readonly startedAt: number;
  state: RetentionTask['state'];
  error: string;
  endedAt: number | null;
}

/**
 * The run of retention, or the preview of one, that the page for admins has begun: it goes on while
 * nobody waits for it, and tells how far it is. One at a time.
 */
export class RetentionTasks {
  readonly #room: Room;
  #task: Task | null = null;
  #stopped = false;
  #askedAt = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  /** @throws AdminError while there is one already. */
  begin(what: Task['what'], by: string): RetentionTask {
    if (this.#task?.state === 'running') {
      throw new AdminError(
        'refused',
        `A ${this.#task.what} of retention is under way; stop it first.`,
      );
    }
    this.#stopped = false;
    this.#askedAt = performance.now();
    const isWatched = () => performance.now() - this.#askedAt < WATCHED_MILLISECONDS;
    const pass = new Pass(() => !this.#stopped && (what === 'run' || isWatched()));
    const startedAt = this.#room.clock.seconds();
    const task: Task = { what, pass, startedAt, state: 'running', error: '', endedAt: null };
    this.#task = task;
    const { retention } = this.#room;
    const done = what === 'run' ? retention.run(by, pass) : retention.preview(pass);
    done.then(
      () => this.#end(task, pass.goesOn() ? 'done' : 'stopped', ''),
      (error: Error) => this.#end(task, 'failed', error.message),
    );
    return this.show()!;
  }

  /** How far the last one is, or how it ended. */
  show(): RetentionTask | null {
    this.#askedAt = performance.now();
    if (this.#task === null) return null;
    const { what, state, error, startedAt, endedAt, pass } = this.#task;
    return { what, state, error, startedAt, endedAt, looked: pass.looked, report: pass.report };
  }

  /** Has the last one end between two slices; `show` tells when it has. */
  stop(): RetentionTask | null {
    this.#stopped = true;
    return this.show();
  }

  #end(task: Task, state: Task['state'], error: string): void {
    task.state = state;
    task.error = error;
    task.endedAt = this.#room.clock.seconds();
  }
}
