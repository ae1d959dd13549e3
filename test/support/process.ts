import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { packageRoot } from '../../src/paths.ts';
import { WAIT_MILLISECONDS } from './ceiling.ts';
import { testEnvironment } from './environment.ts';
import { freshDirectory, type Settings, settingFlags } from './relay.ts';

const wokFile = join(packageRoot, 'dist/src/wok.js');
/** What /proc/PID/statm counts in, on the machines that wok runs on. */
const PAGE_BYTES = 4096;
/** What /proc/PID/stat counts in. */
const TICKS_A_SECOND = 100;

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that runs `wok relay`, killed at the end of the test if it is still there. */
export class WokProcess {
  /** Where it listens, once it does. */
  url = '';
  /** Standard output and standard error so far. */
  out = '';
  err = '';
  /** How it ended. */
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
   * Starts `wok relay` on a free port; `nodeFlags` go to Node.js, `descriptors` is how many files it may
   * open. It may not have come up yet.
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
      { env: { ...testEnvironment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const wok = new WokProcess(child);
    onTestFinished(() => wok.kill().then(() => {}));
    return wok;
  }

  /** Like `spawn`, and waits until it takes connections. */
  static async start(settings: Settings = {}, directory = freshDirectory()): Promise<WokProcess> {
    const wok = WokProcess.spawn(settings, directory);
    await wok.listening();
    return wok;
  }

  /** Resolves when it has said where it listens. @throws what it wrote if it ended instead. */
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

  /** `kill -9`, unless it has ended already. */
  async kill(): Promise<Exit> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.signal('SIGKILL');
    return this.exited;
  }

  /** Memory in use (resident), in bytes. */
  rssBytes(): number {
    const [, resident] = readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ');
    return Number(resident) * PAGE_BYTES;
  }

  /** Processor time of all its threads so far, in seconds. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  }

  /** Open file descriptors. */
  fileDescriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }
}

/**
 * Resolves when the condition holds; looks every few milliseconds, for so long that only what hangs is
 * given up.
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

/** Whether a process runs; one that has ended and whose status nothing has asked for (Z) does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * A loopback address that nothing else uses, so that a port of it that was free stays free: the ports that
 * the system gives to clients are of 127.0.0.1. Where there is one address only, that one.
 */
export function ownAddress(): string {
  if (process.platform !== 'linux') return '127.0.0.1';
  return `127.${[...randomBytes(3)].map((byte) => 1 + (byte % 254)).join('.')}`;
}

/** For the pace of a load; a test that waits for something uses `until`. */
export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
