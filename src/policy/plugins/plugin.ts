// Plugin of the operator: a pool of processes of one command with queues, restarts and a circuit
// breaker. Lives in the plugin host's thread.

import { type Stats, statSync } from 'node:fs';
import { setTimeout as setTimeoutAsync } from 'node:timers/promises';
import type { PluginEntry } from '../../config/plugin-entry.ts';
import type { Log } from '../../log/log.ts';
import { KindSet } from '../../protocol/kind-set.ts';
import { Breaker } from './breaker.ts';
import type { ChildPidTable } from './child-pids.ts';
import { pluginEnvironment } from './environment.ts';
import { type Fault, PluginProcess, type Question } from './process.ts';
import type { PluginAnswer } from './protocol.ts';
import { PluginStderrLog } from './stderr-log.ts';

/** Interval of the search for overdue questions, while any wait. */
const TICK_MILLISECONDS = 20;
/** Delay of restarts: none for the first, then this time, doubled up to the maximum. */
const BACKOFF_MILLISECONDS = 100;
const BACKOFF_MILLISECONDS_MAX = 10_000;
/** Tries of a question whose process died; the question that it died of has only one. */
const TRIES_MAX = 2;

/** Options of a plugin, with defaults for those that its entry omits. */
export interface PluginOptions {
  readonly entry: PluginEntry;
  readonly failOpen: boolean;
  readonly timeoutMilliseconds: number;
  readonly processes: number;
  readonly pipelineMax: number;
  readonly breakerFailures: number;
  readonly breakerMilliseconds: number;
}

/** Counts a fault of a process, or a question that waited too long for a busy one. */
export type CountFailure = (why: Fault['kind'] | 'busy') => void;

/** Slot of the process pool: the process that runs now, and the questions that wait for it. */
interface Slot {
  process: PluginProcess | null;
  queue: Question[];
  /** Number of ends in a row without an answer in between. */
  deaths: number;
  /** Earliest time of the next restart. */
  restartAt: number;
  /** Time of the last fault of a process of this slot. */
  faultAt: number;
}

/**
 * Plugin: several processes of one command. A connection is always assigned to the same process, so
 * that its messages are evaluated in order. A fault of a process delays its own questions by at
 * most the time-out; after some failures in a row no question waits for it any more (`Breaker`).
 */
export class Plugin {
  readonly name: string;
  readonly failOpen: boolean;
  readonly #options: PluginOptions;
  readonly #log: Log;
  readonly #count: CountFailure;
  readonly #childPids: ChildPidTable;
  readonly #kinds: KindSet;
  readonly #breaker: Breaker;
  readonly #stderrLog: PluginStderrLog;
  readonly #slots: Slot[];
  /** Running processes, including those that are ending. */
  readonly #processes = new Set<PluginProcess>();
  /** File that reloads the plugin when it changes, or null for a command with arguments. */
  readonly #file: string | null;
  #fileStat: Stats | null;
  #fileChecked = false;
  #timer: NodeJS.Timeout | null = null;
  #stopping = false;

  constructor(options: PluginOptions, log: Log, count: CountFailure, childPids: ChildPidTable) {
    this.#count = count;
    this.#childPids = childPids;
    const { entry } = options;
    this.name = entry.name;
    this.failOpen = options.failOpen;
    this.#options = options;
    this.#log = log;
    this.#kinds = new KindSet(entry.kinds);
    this.#breaker = new Breaker(options.breakerFailures, options.breakerMilliseconds);
    this.#stderrLog = new PluginStderrLog(entry.name, log);
    this.#file = entry.command.includes(' ') ? null : entry.command;
    this.#fileStat = this.#stat();
    this.#slots = Array.from({ length: options.processes }, () => ({
      process: null,
      queue: [],
      deaths: 0,
      restartAt: 0,
      faultAt: 0,
    }));
    for (const slot of this.#slots) this.#start(slot);
  }

  coversKind(kind: number): boolean {
    return this.#options.entry.asks !== 'reads' && (this.#kinds.isEmpty || this.#kinds.has(kind));
  }

  get coversReads(): boolean {
    return this.#options.entry.asks !== 'writes';
  }

  get isOpen(): boolean {
    return this.#breaker.isOpen;
  }

  /** Process ids, for tests and `wok doctor`. */
  get pids(): number[] {
    return [...this.#processes].map(({ pid }) => pid);
  }

  /** Sends a question to the connection's process; `done` is called once, perhaps at once. */
  ask(connId: number, id: string, line: Buffer, done: Question['done']): void {
    const now = performance.now();
    if (this.#stopping || !this.#breaker.admits(now)) {
      done('failed');
      return;
    }
    this.#reloadIfChanged();
    const slot = this.#slots[connId % this.#slots.length]!;
    slot.queue.push({ id, line, askedAt: now, tries: 0, abandoned: false, done });
    this.#pump(slot, now);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MILLISECONDS);
  }

  /** Stops the processes after they have answered the open questions, or after the time-out. */
  async retire(): Promise<void> {
    const end = performance.now() + this.#options.timeoutMilliseconds;
    while (this.#waiting > 0 && performance.now() < end) await setTimeoutAsync(TICK_MILLISECONDS);
    await this.stop();
  }

  /** Stops the processes; resolves when they have exited. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#timer) clearInterval(this.#timer);
    this.#stderrLog.stop();
    const processes = [...this.#processes];
    for (const process of processes) process.stop();
    await Promise.all(processes.map(({ exited }) => exited));
  }

  /** Number of questions without an answer. */
  get #waiting(): number {
    let waiting = 0;
    for (const { queue } of this.#slots) waiting += queue.length;
    for (const { inFlight } of this.#processes) waiting += inFlight.length;
    return waiting;
  }

  /** Sends waiting questions to the process, starting one if needed and allowed. */
  #pump(slot: Slot, now: number): void {
    if (this.#stopping || slot.queue.length === 0) return;
    if (slot.process === null) {
      if (now < slot.restartAt) return;
      this.#start(slot);
    }
    const process = slot.process!;
    while (slot.queue.length > 0 && process.inFlight.length < this.#options.pipelineMax) {
      process.ask(slot.queue.shift()!, now);
    }
  }

  #start(slot: Slot): void {
    const { entry } = this.#options;
    const started = new PluginProcess(entry.command, pluginEnvironment(entry.environment ?? []), {
      answered: (question, answer) => this.#answered(slot, question, answer),
      ended: (process, fault) => this.#ended(slot, process, fault),
      printed: (line, isAnswerPipe) => this.#stderrLog.printed(line, isAnswerPipe),
    });
    slot.process = started;
    this.#processes.add(started);
    this.#childPids.enter(started.pid);
    void started.exited.then(() => {
      this.#processes.delete(started);
      this.#childPids.leave(started.pid);
    });
    this.#log.info('a plugin was started', { plugin: this.name, pid: started.pid });
  }

  #answered(slot: Slot, question: Question, answer: PluginAnswer): void {
    slot.deaths = 0;
    this.#breaker.succeeded();
    if (!question.abandoned) question.done(answer);
    this.#pump(slot, performance.now());
  }

  #ended(slot: Slot, process: PluginProcess, fault: Fault | null): void {
    const unanswered = process.inFlight.splice(0);
    const isCurrent = slot.process === process;
    if (isCurrent) slot.process = null;
    if (this.#stopping || fault === null) {
      for (const question of unanswered) settle(question, 'failed');
      return;
    }
    const now = performance.now();
    slot.faultAt = now;
    this.#count(fault.kind);
    if (isCurrent) {
      const wait = slot.deaths === 0 ? 0 : BACKOFF_MILLISECONDS * 2 ** (slot.deaths - 1);
      slot.restartAt = now + Math.min(wait, BACKOFF_MILLISECONDS_MAX);
      slot.deaths++;
    }
    this.#log.error('a plugin failed', { plugin: this.name, pid: process.pid, why: fault.text });
    // No question was open: the process may have ended normally, and is restarted when needed.
    if (unanswered.length === 0) return;
    const opened = this.#breaker.failed(now);
    // The oldest question is taken to be the cause; the others are asked again.
    settle(unanswered.shift()!, 'failed');
    const again = unanswered.filter((question) => {
      if (question.abandoned) return false;
      if (++question.tries < TRIES_MAX) return true;
      settle(question, 'failed');
      return false;
    });
    slot.queue.unshift(...again);
    if (opened) {
      const { breakerMilliseconds } = this.#options;
      this.#log.error('a plugin failed repeatedly; its circuit breaker is open', {
        plugin: this.name,
        milliseconds: breakerMilliseconds,
        meanwhile: this.failOpen ? 'everything is accepted' : 'everything is refused',
      });
    }
    if (this.#breaker.isOpen) {
      for (const each of this.#slots) {
        for (const question of each.queue.splice(0)) settle(question, 'failed');
      }
    } else {
      this.#pump(slot, now);
    }
  }

  /** Fails overdue questions, and restarts processes after their delay. */
  #tick(): void {
    const now = performance.now();
    const { timeoutMilliseconds: timeout } = this.#options;
    const latest = now - timeout;
    for (const process of this.#processes) process.check(now, timeout);
    for (const slot of this.#slots) {
      let unstarted = false;
      while (slot.queue.length > 0 && slot.queue[0]!.askedAt <= latest) {
        unstarted = slot.process === null;
        const question = slot.queue.shift()!;
        this.#settleOverdue(slot, question);
      }
      // No process will report this failure, and the breaker may have admitted the question as a
      // trial.
      if (unstarted) this.#breaker.failed(now);
      this.#pump(slot, now);
      for (const question of slot.process?.inFlight ?? []) {
        if (question.askedAt > latest || question.abandoned) continue;
        this.#settleOverdue(slot, question);
        question.abandoned = true;
      }
    }
    if (this.#waiting > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Resolves an overdue question: `busy` if the process is only slow, `failed` otherwise. */
  #settleOverdue(slot: Slot, question: Question): void {
    const hasFailed = slot.faultAt >= question.askedAt || slot.process === null;
    if (!hasFailed) this.#count('busy');
    settle(question, hasFailed ? 'failed' : 'busy');
  }

  /**
   * Reloads the plugin when its file has changed, checked once a turn of the event loop: new
   * processes start, and the old ones finish their questions.
   */
  #reloadIfChanged(): void {
    if (this.#file === null || this.#fileChecked) return;
    this.#fileChecked = true;
    setImmediate(() => {
      this.#fileChecked = false;
    });
    const stat = this.#stat();
    const before = this.#fileStat;
    // A file that is missing for a moment is being replaced.
    if (stat === null || (before?.mtimeMs === stat.mtimeMs && before.ino === stat.ino)) return;
    this.#fileStat = stat;
    this.#log.info('a plugin file changed; the plugin is restarted', { plugin: this.name });
    for (const slot of this.#slots) {
      const former = slot.process;
      slot.process = null;
      slot.deaths = 0;
      slot.restartAt = 0;
      former?.retire();
    }
    this.#breaker.succeeded();
  }

  #stat(): Stats | null {
    if (this.#file === null) return null;
    return statSync(this.#file, { throwIfNoEntry: false }) ?? null;
  }
}

function settle(question: Question, outcome: 'busy' | 'failed'): void {
  if (!question.abandoned) question.done(outcome);
}
