// Child processes of the siege, and the calls to them over the IPC channel of Node.js.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Programs of the siege that run in processes of their own. */
type SiegeProcess = 'honest/process' | 'attack/process';

interface Call {
  readonly call: string;
  readonly value: unknown;
}

interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

/**
 * Handle of a child process of the siege. It handles one call at a time. Arguments and results are
 * structured-cloned, so histograms can be passed unchanged.
 */
export class Child {
  readonly #process: ChildProcess;
  #waiting: { resolve: (value: never) => void; reject: (error: Error) => void } | undefined;

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.on('message', (answer: Answer) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (answer.error === undefined) waiting?.resolve(answer.value as never);
      else waiting?.reject(new Error(answer.error));
    });
    process.on('exit', (code, signal) => {
      this.#waiting?.reject(new Error(`a process of the siege exited: ${signal ?? code}`));
    });
  }

  /**
   * Starts the compiled program; when this file runs as source (vitest), it starts the one in dist/
   * too.
   */
  static start(name: SiegeProcess): Child {
    const base = import.meta.url.endsWith('.ts') ? '../dist/siege/' : './';
    const file = fileURLToPath(new URL(`${base}${name}.js`, import.meta.url));
    const child = fork(file, {
      serialization: 'advanced',
      execArgv: [],
      env: Object.fromEntries(
        Object.entries(process.env).filter(([key]) => !/^(NODE|VITEST|WOK)_/.test(key)),
      ),
    });
    return new Child(child);
  }

  /**
   * Calls a function of the process.
   *
   * @throws Error with the message of the process, or when it has ended.
   */
  call<T>(call: string, value?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#process.send({ call, value } satisfies Call, (error) => {
        if (error !== null) reject(error);
      });
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Kills the process at once. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.kill('SIGKILL');
    await gone;
  }
}

/** Answers the calls of the parent process, in the child; the child ends with its parent. */
export function serve(calls: Readonly<Record<string, (value: never) => unknown>>): void {
  process.on('message', async ({ call, value }: Call) => {
    let answer: Answer;
    try {
      answer = { value: await calls[call]!(value as never) };
    } catch (error) {
      answer = { error: error instanceof Error ? error.message : String(error) };
    }
    process.send?.(answer);
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches the whole process group: the runner ends its processes by itself.
  process.on('SIGINT', () => {});
}
