// Process of `wok relay` from the build in dist/, for tests of signals, limits, output and crashes,
// and helpers that wait for conditions.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { packageRoot } from '../../src/paths.ts';
import { WAIT_MILLISECONDS } from './ceiling.ts';
import { testEnvironment } from './environment.ts';
import { constantsEnvironment, freshDirectory, type Settings, settingFlags } from './relay.ts';

const wokFile = join(packageRoot, 'dist/src/wok.js');
/** Unit of /proc/PID/statm, in bytes, on the machines that wok runs on. */
const PAGE_BYTES = 4096;
/** Clock ticks of /proc/PID/stat in a second. */
const TICKS_A_SECOND = 100;

/** Exit code or signal of a process that has ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Process of `wok relay`, killed at the end of the test if it still runs. */
export class WokProcess {
  /** WebSocket URL of the relay; empty until `listening` resolves. */
  url = '';
  /** Standard output so far; `err` is standard error. */
  out = '';
  err = '';
  /** Resolves to the exit of the process. */
  readonly exited: Promise<Exit>;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid!;
    child.stdout!.on('data', (data) => {
      this.out += String(data);
    });
    child.stderr!.on('data', (data) => {
      this.err += String(data);
    });
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /**
   * Starts `wok relay` on a free port, and does not wait until it listens. `nodeFlags` go to
   * Node.js; `descriptors` is its limit of open files, 0 for that of the system.
   */
  static spawn(
    settings: Settings = {},
    directory = freshDirectory(),
    nodeFlags: readonly string[] = [],
    flags: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    descriptors = 0,
  ): WokProcess {
    if (!existsSync(wokFile)) throw new Error(`${wokFile} is missing: run npm run build`);
    const set = settingFlags(settings).flatMap((setting) => ['--set', setting]);
    const args = [...nodeFlags, wokFile, 'relay', '--data', directory, ...set, ...flags];
    const limited = ['-c', `ulimit -n ${descriptors} && exec "$0" "$@"`, process.execPath, ...args];
    const child = spawn(
      descriptors > 0 ? 'sh' : process.execPath,
      descriptors > 0 ? limited : args,
      {
        env: { ...testEnvironment(), ...constantsEnvironment(settings), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const wok = new WokProcess(child);
    onTestFinished(() => wok.kill().then(() => {}));
    return wok;
  }

  /** Starts `wok relay` on a free port and waits until it accepts connections. */
  static async start(settings: Settings = {}, directory = freshDirectory()): Promise<WokProcess> {
    const wok = WokProcess.spawn(settings, directory);
    await wok.listening();
    return wok;
  }

  /**
   * Resolves when the relay has logged its URL. @throws Error with its output if it ended instead.
   */
  async listening(): Promise<void> {
    const said = () => /listens on (wss?:\/\/\S+)/.exec(this.out)?.[1];
    let over = false;
    void this.exited.then(() => {
      over = true;
    });
    await until(() => said() !== undefined || over, 'the relay to listen');
    const url = said();
    if (url === undefined) throw new Error(`the relay did not start: ${this.out}${this.err}`);
    this.url = url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get httpUrl(): string {
    return this.url.replace(/^ws/, 'http');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends SIGKILL unless the process has ended; resolves to its exit. */
  async kill(): Promise<Exit> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.signal('SIGKILL');
    return this.exited;
  }

  /** Returns the resident memory, in bytes. */
  rssBytes(): number {
    const [, resident] = readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ');
    return Number(resident) * PAGE_BYTES;
  }

  /** Returns the CPU time of all its threads so far, in seconds. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  }

  /** Returns the number of open file descriptors. */
  fileDescriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }
}

/**
 * Resolves when the condition holds; checks it every few milliseconds. @throws Error after
 * WAIT_MILLISECONDS, which only a hang reaches.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const end = performance.now() + WAIT_MILLISECONDS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${WAIT_MILLISECONDS} ms for ${what}`);
    await delay(5);
  }
}

/** Returns true if a process runs; a zombie (state Z) does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Returns a random loopback address that no other process uses, so that a free port on it stays
 * free: the system gives ports of 127.0.0.1 to clients. On systems other than Linux it is
 * 127.0.0.1.
 */
export function ownAddress(): string {
  if (process.platform !== 'linux') return '127.0.0.1';
  return `127.${[...randomBytes(3)].map((byte) => 1 + (byte % 254)).join('.')}`;
}

/** Waits this long, for the pace of a load. A test that waits for a condition uses `until`. */
export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
