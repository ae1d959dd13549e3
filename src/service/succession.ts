// Graceful restart: the hand-over from a running relay process to its successor, over the IPC
// channel of Node.js.

import { type ChildProcess, spawn } from 'node:child_process';
import { type Libc, listeningSocket, steerTo } from './libc.ts';

/** Environment variable with the port of the process that starts this one to take over from it. */
const VARIABLE = 'WOK_SUCCEEDS_PORT';
/**
 * Time that a successor may take to prepare (it reads the ids of all events), and to take the
 * database.
 */
const PREPARE_MILLISECONDS = 600_000;
const OWN_MILLISECONDS = 60_000;

/** Time that the last message of a process may take to arrive after its end. */
const LAST_WORDS_MILLISECONDS = 1_000;

/** Messages between the two processes, in order: prepared, then yours, then taken. */
type Word = 'prepared' | 'yours' | 'taken';

/** Message of a successor that cannot start. */
interface Failure {
  /** Reason, in a sentence for the operator. */
  readonly failed: string;
}

/** Handle of the process that takes over from this one. */
export class Successor {
  readonly #child: ChildProcess;
  readonly #gone: Promise<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#gone = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => {
        const how = code === null ? `it was killed by ${signal}` : `it exited with status ${code}`;
        if (!child.connected) return resolve(how);
        child.once('disconnect', () => resolve(how));
        setTimeout(resolve, LAST_WORDS_MILLISECONDS, how).unref();
      });
    });
  }

  /** Starts the same command again, from the same files, which may have been updated since. */
  static start(port: number): Successor {
    const { WATCHDOG_PID: _, ...env } = process.env;
    const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      env: { ...env, [VARIABLE]: String(port) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    return new Successor(child);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /**
   * Resolves when the successor listens and only lacks the database.
   *
   * @throws Error with the reason why it does not.
   */
  prepared(): Promise<void> {
    return this.#word('prepared', PREPARE_MILLISECONDS);
  }

  /**
   * Reports that the database is free; resolves when the successor has taken it.
   *
   * @throws Error with the reason why it has not.
   */
  async takes(): Promise<void> {
    this.#child.send('yours' satisfies Word);
    await this.#word('taken', OWN_MILLISECONDS);
    this.#child.disconnect();
    this.#child.unref();
  }

  /** Kills the successor; resolves when it is gone. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }

  async #word(word: Word, milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const said = new Promise<string | null>((resolve) => {
      this.#child.on('message', (message: Word | Failure) => {
        if (message === word) resolve(null);
        else if (typeof message === 'object') resolve(message.failed);
      });
    });
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('it took too long'), milliseconds);
    });
    const why = await Promise.race([said, this.#gone, late]);
    clearTimeout(timer);
    if (why !== null) throw new Error(why);
  }
}

/** Handle of the process that this one takes over from. */
export class Predecessor {
  /** Port on which it listens and this one is to listen. */
  readonly port: number;

  private constructor(port: number) {
    this.port = port;
  }

  /** Returns the predecessor; null when this process was not started as a successor. */
  static find(env: NodeJS.ProcessEnv): Predecessor | null {
    const port = Number(env[VARIABLE]);
    delete env[VARIABLE];
    return Number.isInteger(port) && port > 0 && process.connected ? new Predecessor(port) : null;
  }

  /**
   * Reports that this process is prepared; resolves when the database is free, also by the death of
   * the other one.
   */
  async hands(): Promise<void> {
    await new Promise<void>((resolve) => {
      process.once('message', () => resolve());
      process.once('disconnect', () => resolve());
      process.send!('prepared' satisfies Word);
    });
  }

  taken(): void {
    if (process.connected) process.send!('taken' satisfies Word, () => process.disconnect?.());
  }

  /** Reports why this process cannot take over; resolves when the message has been sent. */
  async fails(why: string): Promise<void> {
    if (!process.connected) return;
    await new Promise((resolve) => process.send!({ failed: why } satisfies Failure, resolve));
    if (process.connected) process.disconnect();
  }
}

/**
 * Makes the kernel give all new connections to the younger of two processes that listen on a port,
 * so that the older one can accept what is left in its queue and close without refusing a client.
 * Returns false where that cannot be done.
 */
export function steerToSuccessor(c: Libc | null, port: number): boolean {
  if (c === null) return false;
  const fd = listeningSocket(c, port);
  // The sockets of a port are numbered in the order in which they began to listen.
  return fd !== undefined && steerTo(c, fd, 1);
}
