import { type ChildProcess, spawn } from 'node:child_process';
import { type PluginAnswer, readLine } from './protocol.ts';

/** Longest line of a plugin. strfry takes 8 kB; replaced filters may need more. */
const LINE_BYTES_MAX = 64 * 1024;
/** What a plugin may print beside answers before the next answer; more is a flood. */
const NONSENSE_BYTES_MAX = 256 * 1024;
/** Ids answered last, so that an answer given twice is not taken for a wrong one. */
const ANSWERED_IDS = 64;
/** Between SIGTERM and SIGKILL. */
const TERM_MILLISECONDS = 500;
/** What an ended process has left to say is waited for so long. */
const EXIT_MILLISECONDS = 100;

/** A question to a plugin. */
export interface Question {
  /** What the answer has to carry. */
  readonly id: string;
  readonly line: Buffer;
  /** Milliseconds, when it was asked. */
  readonly askedAt: number;
  /** How many processes had it before and died of it or beside it. */
  tries: number;
  /** Answered to whoever asked, though the plugin has not: its answer is dropped. */
  abandoned: boolean;
  readonly done: (answer: PluginAnswer | 'busy' | 'failed') => void;
}

/** What a process did wrong, as metrics call it, and in words. */
export interface Fault {
  readonly kind: 'silent' | 'ended' | 'wrong' | 'flood';
  readonly text: string;
}

/** What a process tells the plugin it belongs to. */
export interface ProcessHooks {
  answered(question: Question, answer: PluginAnswer): void;
  /** It is gone. `fault` is what it did wrong, or null if it was told to go. */
  ended(process: PluginProcess, fault: Fault | null): void;
  /** A line on standard error, or one on standard output that is no answer. */
  printed(line: string, isAnswerPipe: boolean): void;
}

/** One process of a plugin: questions go in, answers come out, in any order. */
export class PluginProcess {
  /** Asked and not answered, the oldest first. */
  readonly inFlight: Question[] = [];
  readonly #child: ChildProcess;
  readonly #hooks: ProcessHooks;
  readonly #answered: string[] = [];
  /** When it last answered, or was asked after it had nothing to do. */
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
      this.#fault('ended', `it ended with ${signal ?? `status ${code}`}`);
      this.#gone();
    };
    // Its last answers may still be in the pipe; what it left behind may hold the pipe for ever.
    child.on('exit', (code, signal) => setTimeout(ended, EXIT_MILLISECONDS, code, signal));
    child.on('close', ended);
    // A pipe that breaks is followed by an exit, which says more.
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

  /** Ends a process that has not answered anything for too long although it was asked. */
  check(now: number, timeoutMilliseconds: number): void {
    if (this.inFlight.length === 0 || now - this.#progressAt < timeoutMilliseconds) return;
    this.#fault('silent', `it has not answered for ${timeoutMilliseconds} ms`);
  }

  /** Asks it to go when it has answered what it was asked. */
  retire(): void {
    this.#retiring = true;
    if (this.inFlight.length === 0) this.stop();
  }

  /** Asks it to go now, and makes it go a little later. */
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
    // What it still prints is read no more: a flood ends here.
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
      // The group, for what the shell has started; when the shell has gone, for what it left behind.
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
    if (this.#rest.length > LINE_BYTES_MAX) this.#fault('flood', 'it prints a line without an end');
  }

  #line(line: string): void {
    if (line.length > LINE_BYTES_MAX) {
      this.#fault('flood', 'it prints a line that is too long');
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
      else this.#fault('wrong', 'it answers with an id that it was not asked about');
    } else if (said.t === 'unknown action') {
      this.#fault('wrong', 'it answers with an unknown action');
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
    this.#nonsenseBytes += line.length + 1;
    if (this.#nonsenseBytes > NONSENSE_BYTES_MAX)
      this.#fault('flood', 'it prints much that is no answer');
    else if (line.trim() !== '') this.#hooks.printed(line, true);
  }

  #readError(text: string): void {
    const lines = (this.#errorRest + text).split('\n');
    this.#errorRest = lines.pop()!.slice(-LINE_BYTES_MAX);
    for (const line of lines) if (line.trim() !== '') this.#hooks.printed(line, false);
  }
}
