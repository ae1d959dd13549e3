// Single process of a plugin: starts it, writes questions to its standard input, reads answers, and
// detects faults.

import { type ChildProcess, spawn } from 'node:child_process';
import { type PluginAnswer, readLine } from './protocol.ts';

/** Longest line of a plugin, in bytes. strfry takes 8 kB; replaced filters may need more. */
const LINE_BYTES_MAX = 64 * 1024;
/** Maximum of other output before the next answer; more is a flood. */
const NONSENSE_BYTES_MAX = 256 * 1024;
/** Number of answered ids that are kept, so that a repeated answer is not taken for a wrong one. */
const ANSWERED_IDS = 64;
/** Time between SIGTERM and SIGKILL. */
const TERM_MILLISECONDS = 500;
/** Time in which the last output of an ended process is still read. */
const EXIT_MILLISECONDS = 100;

/** Question to a plugin. */
export interface Question {
  /** Id that the answer has to carry. */
  readonly id: string;
  readonly line: Buffer;
  /** Time of the question, in milliseconds. */
  readonly askedAt: number;
  /** Number of processes that ended while they had this question. */
  tries: number;
  /** True if the caller already has a result without the plugin; a late answer is dropped. */
  abandoned: boolean;
  readonly done: (answer: PluginAnswer | 'busy' | 'failed') => void;
}

/** Fault of a process: the kind as in metrics, and a description. */
export interface Fault {
  readonly kind: 'silent' | 'ended' | 'wrong' | 'flood';
  readonly text: string;
}

/** Callbacks from a process to its plugin. */
interface ProcessHooks {
  answered(question: Question, answer: PluginAnswer): void;
  /**
   * Called when the process is over. `fault` is what it did wrong, or null if it was told to stop.
   */
  ended(process: PluginProcess, fault: Fault | null): void;
  /** Called with a line on standard error, or one on standard output that is no answer. */
  printed(line: string, isAnswerPipe: boolean): void;
}

/** Process of a plugin: takes questions and returns answers, in any order. */
export class PluginProcess {
  /** Questions without an answer, the oldest first. */
  readonly inFlight: Question[] = [];
  readonly #child: ChildProcess;
  readonly #hooks: ProcessHooks;
  readonly #answered: string[] = [];
  /** Time of the last answer, or of the first question after it was idle. */
  #progressAt = 0;
  #rest = '';
  #errorRest = '';
  #nonsenseBytes = 0;
  #over = false;
  #retiring = false;
  #gone: () => void = () => {};
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>;

  /** Starts `sh -c command` in a process group of its own, with this environment and no other. */
  constructor(command: string, env: Readonly<Record<string, string>>, hooks: ProcessHooks) {
    this.#hooks = hooks;
    this.exited = new Promise((resolve) => {
      this.#gone = resolve;
    });
    const child = spawn('/bin/sh', ['-c', command], {
      detached: true,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.on('error', (error) => {
      this.#fault('ended', `it cannot be started (${error.message})`);
      this.#gone();
    });
    const ended = (code: number | null, signal: NodeJS.Signals | null) => {
      this.#fault('ended', `it exited with ${signal ?? `status ${code}`}`);
      this.#gone();
    };
    // The last answers may still be in the pipe; a leftover child may hold the pipe open for ever.
    child.on('exit', (code, signal) => setTimeout(ended, EXIT_MILLISECONDS, code, signal));
    child.on('close', ended);
    // A broken pipe is followed by an exit, which says more.
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.on('error', () => {});
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#readError(text));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  ask(question: Question, now: number): void {
    if (this.inFlight.push(question) === 1) this.#progressAt = now;
    this.#child.stdin?.write(question.line);
  }

  /** Stops a process that has not answered any question for too long. */
  check(now: number, timeoutMilliseconds: number): void {
    if (this.inFlight.length === 0 || now - this.#progressAt < timeoutMilliseconds) return;
    this.#fault('silent', `it has not answered for ${timeoutMilliseconds} ms`);
  }

  /** Stops the process after it has answered the open questions. */
  retire(): void {
    this.#retiring = true;
    if (this.inFlight.length === 0) this.stop();
  }

  /** Stops the process with SIGTERM, and with SIGKILL after `TERM_MILLISECONDS`. */
  stop(): void {
    this.#end(null);
  }

  #fault(kind: Fault['kind'], text: string): void {
    this.#end({ kind, text });
  }

  #end(fault: Fault | null): void {
    if (this.#over) return;
    this.#over = true;
    const { stdin, stdout } = this.#child;
    stdin?.end();
    // Further output is not read: a flood ends here.
    stdout?.destroy();
    this.#kill('SIGTERM');
    const timer = setTimeout(() => this.#kill('SIGKILL'), TERM_MILLISECONDS);
    void this.exited.then(() => clearTimeout(timer));
    this.#hooks.ended(this, fault);
  }

  #kill(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined) return;
    try {
      // The group includes children of the shell, also after the shell has exited.
      process.kill(-pid, signal);
    } catch {
      if (exitCode === null && signalCode === null) this.#child.kill(signal);
    }
  }

  #read(text: string): void {
    if (this.#over) return;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) {
      this.#line(line);
      if (this.#over) return;
    }
    if (Buffer.byteLength(this.#rest) > LINE_BYTES_MAX)
      this.#fault('flood', 'it printed a line without an end');
  }

  #line(line: string): void {
    if (Buffer.byteLength(line) > LINE_BYTES_MAX) {
      this.#fault('flood', 'it printed a line that is too long');
      return;
    }
    const said = readLine(line);
    if (said.t === 'nonsense') {
      this.#nonsense(line);
      return;
    }
    const at = this.inFlight.findIndex(({ id }) => id === said.id);
    if (at < 0) {
      if (this.#answered.includes(said.id)) this.#nonsense(line);
      else this.#fault('wrong', 'it answered with an id that it was not asked about');
    } else if (said.t === 'unknown action') {
      this.#fault('wrong', 'it answered with an unknown action');
    } else {
      const [question] = this.inFlight.splice(at, 1);
      this.#progressAt = performance.now();
      this.#nonsenseBytes = 0;
      this.#answered.push(said.id);
      if (this.#answered.length > ANSWERED_IDS) this.#answered.shift();
      this.#hooks.answered(question!, said.answer);
      if (this.#retiring && this.inFlight.length === 0) this.stop();
    }
  }

  #nonsense(line: string): void {
    this.#nonsenseBytes += Buffer.byteLength(line) + 1;
    if (this.#nonsenseBytes > NONSENSE_BYTES_MAX)
      this.#fault('flood', 'it printed too many lines that are not responses');
    else if (line.trim() !== '') this.#hooks.printed(line, true);
  }

  #readError(text: string): void {
    const lines = (this.#errorRest + text).split('\n');
    this.#errorRest = lastBytes(lines.pop()!, LINE_BYTES_MAX);
    for (const line of lines) if (line.trim() !== '') this.#hooks.printed(line, false);
  }
}

/** Returns the end of a text, of at most `most` bytes. */
function lastBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  return Buffer.from(text).subarray(-most).toString();
}
