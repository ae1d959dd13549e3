// Background retention task of the admin page. Owned by the admin worker.

import type { Clock } from '../lib/clock.ts';
import { RpcError } from '../rpc/method.ts';
import type { RetentionTask } from '../web/api/config.ts';
import { Pass } from './pass.ts';
import type { Retention } from './retention.ts';

/** Time without a status request after which a preview ends. */
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
 * Retention run or preview begun from the admin page. It runs in the background and reports its
 * progress on request. One at a time.
 */
export class RetentionTasks {
  readonly #context;
  #task: Task | null = null;
  #stopped = false;
  #askedAt = 0;

  constructor(context: { readonly clock: Clock; readonly retention: Retention }) {
    this.#context = context;
  }

  /** Begins a task. @throws RpcError while another is running. */
  begin(what: Task['what'], by: string): RetentionTask {
    if (this.#task?.state === 'running') {
      throw new RpcError('refused', `A retention ${this.#task.what} is running; stop it first.`);
    }
    this.#stopped = false;
    this.#askedAt = performance.now();
    const isWatched = () => performance.now() - this.#askedAt < WATCHED_MILLISECONDS;
    const pass = new Pass(() => !this.#stopped && (what === 'run' || isWatched()));
    const startedAt = this.#context.clock.seconds();
    const task: Task = { what, pass, startedAt, state: 'running', error: '', endedAt: null };
    this.#task = task;
    const { retention } = this.#context;
    const done = what === 'run' ? retention.run(by, pass) : retention.preview(pass);
    done.then(
      () => this.#end(task, pass.goesOn() ? 'done' : 'stopped', ''),
      (error: Error) => this.#end(task, 'failed', error.message),
    );
    return this.show()!;
  }

  /** Returns the progress or the outcome of the last task; keeps a preview alive. */
  show(): RetentionTask | null {
    this.#askedAt = performance.now();
    if (this.#task === null) return null;
    const { what, state, error, startedAt, endedAt, pass } = this.#task;
    return { what, state, error, startedAt, endedAt, looked: pass.looked, report: pass.report };
  }

  /** Ends the last task between two slices; `show` reports when it has ended. */
  stop(): RetentionTask | null {
    this.#stopped = true;
    return this.show();
  }

  #end(task: Task, state: Task['state'], error: string): void {
    task.state = state;
    task.error = error;
    task.endedAt = this.#context.clock.seconds();
  }
}
