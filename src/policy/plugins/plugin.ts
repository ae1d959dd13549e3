import { type Stats, statSync } from 'node:fs';
import { setTimeout as setTimeoutAsync } from 'node:timers/promises';
import type { PluginEntry } from '../../config/plugin-entry.ts';
import type { Log } from '../../lib/log.ts';
import { KindSet } from '../kind-set.ts';
import { Breaker } from './breaker.ts';
import { pluginEnvironment } from './environment.ts';
import { Gossip } from './gossip.ts';
import { type Fault, PluginProcess, type Question } from './process.ts';
import type { PluginAnswer } from './protocol.ts';
import type { RollCall } from './roll-call.ts';

/** How often what takes too long is looked for, while something waits. */
const TICK_MILLISECONDS = 20;
/** A process that ends is started again at once, then after this time, doubled up to the maximum. */
const BACKOFF_MILLISECONDS = 100;
const BACKOFF_MILLISECONDS_MAX = 10_000;
/** A question whose process died is asked once more, unless it is what the process died of. */
const TRIES_MAX = 2;

/** What a plugin's entry leaves open is filled in here. */
export interface PluginOptions {
  readonly entry: PluginEntry;
  readonly failOpen: boolean;
  readonly timeoutMilliseconds: number;
  readonly processes: number;
  readonly pipelineMax: number;
  readonly breakerFailures: number;
  readonly breakerMilliseconds: number;
}

/** Counts a fault of a process, or a question that waited too long for one that has much to do. */
export type CountFailure = (why: Fault['kind'] | 'busy') => void;

/** One of a plugin's processes: the one that runs now, and what waits for it. */
interface Slot {
  process: PluginProcess | null;
  queue: Question[];
  /** Ends in a row without an answer in between. */
  deaths: number;
  /** Not started again before. */
  restartAt: number;
  /** When a process of this slot last did something wrong. */
  faultAt: number;
}

/**
 * A plugin: several processes of one command, each asked by the connections that fall to it, so that
 * what a connection sends is decided in its order. What a process does wrong costs its own questions
 * at most the time-out; after some failures in a row nobody waits for it any more (`Breaker`).
 */
export class Plugin {
  readonly name: string;
  readonly failOpen: boolean;
  readonly #options: PluginOptions;
  readonly #log: Log;
  readonly #count: CountFailure;
  readonly #rollCall: RollCall;
  readonly #kinds: KindSet;
  readonly #breaker: Breaker;
  readonly #gossip: Gossip;
  readonly #slots: Slot[];
  /** All that run, those included that are on their way out. */
  readonly #processes = new Set<PluginProcess>();
  /** The file whose change reloads the plugin, or null for a command with arguments. */
  readonly #file: string | null;
  #fileStat: Stats | null;
  #fileChecked = false;
  #timer: NodeJS.Timeout | null = null;
  #stopping = false;

  constructor(options: PluginOptions, log: Log, count: CountFailure, rollCall: RollCall) {
    this.#count = count;
    this.#rollCall = rollCall;
    const { entry } = options;
    this.name = entry.name;
    this.failOpen = options.failOpen;
    this.#options = options;
    this.#log = log;
    this.#kinds = new KindSet(entry.kinds);
    this.#breaker = new Breaker(options.breakerFailures, options.breakerMilliseconds);
    this.#gossip = new Gossip(entry.name, log);
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

  /** Asks the process of this connection; `done` is called once, perhaps at once. */
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

  /** Ends the processes when they have answered what they were asked, or had their time for it. */
  async retire(): Promise<void> {
    const end = performance.now() + this.#options.timeoutMilliseconds;
    while (this.#waiting > 0 && performance.now() < end) await setTimeoutAsync(TICK_MILLISECONDS);
    await this.stop();
  }

  /** Ends the processes; resolves when they have gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#timer) clearInterval(this.#timer);
    this.#gossip.stop();
    const processes = [...this.#processes];
    for (const process of processes) process.stop();
    await Promise.all(processes.map(({ exited }) => exited));
  }

  /** Questions without an answer. */
  get #waiting(): number {
    let waiting = 0;
    for (const { queue } of this.#slots) waiting += queue.length;
    for (const { inFlight } of this.#processes) waiting += inFlight.length;
    return waiting;
  }

  /** Sends what waits to the process, starting one if need be and if it may be. */
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
      printed: (line, isAnswerPipe) => this.#gossip.printed(line, isAnswerPipe),
    });
    slot.process = started;
    this.#processes.add(started);
    this.#rollCall.enter(started.pid);
    void started.exited.then(() => {
      this.#processes.delete(started);
      this.#rollCall.leave(started.pid);
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
    // Nobody waited: it may have ended for reasons of its own, and is started again when needed.
    if (unanswered.length === 0) return;
    const opened = this.#breaker.failed(now);
    // It died of the one that it had in hand; the others were only there.
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
      this.#log.error('a plugin fails again and again and is not asked for a while', {
        plugin: this.name,
        milliseconds: breakerMilliseconds,
        meanwhile: this.failOpen ? 'everything is let through' : 'everything is refused',
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

  /** Looks for what has waited too long, and starts processes whose time has come. */
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
      // Nobody else would tell the breaker, which may have let this one through to try.
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

  /** A process that is alive and slow is asked too much; one that has failed meanwhile has failed. */
  #settleOverdue(slot: Slot, question: Question): void {
    const hasFailed = slot.faultAt >= question.askedAt || slot.process === null;
    if (!hasFailed) this.#count('busy');
    settle(question, hasFailed ? 'failed' : 'busy');
  }

  /** Once a turn of the event loop: a changed file means new processes; the old ones finish. */
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
    this.#log.info('a plugin has changed and is started anew', { plugin: this.name });
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
