// Starts and stops a wok process for a measurement.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isConstantKey } from '../../src/config/constants.ts';
import { packageRoot } from '../../src/paths.ts';

const START_MILLISECONDS = 30_000;
const STOP_MILLISECONDS = 20_000;
const OUTPUT_CHARACTERS_MAX = 4000;

/** Command of wok in the build that this bench belongs to. */
export const ownWok: string = join(packageRoot, 'dist/src/wok.js');

/**
 * Settings that lift limits, because a bench differs from ordinary clients: thousands of
 * connections from one address, events of a fixed day, many subscriptions on a connection, reading
 * other people's messages. All other settings keep their defaults, durability above all.
 */
const LIFTED: Readonly<Record<string, string>> = {
  'io.connections_max': '200000',
  'io.connections_per_ip_max': '200000',
  'limits.subscriptions_max': '10000',
  'limits.subscription_bytes_max': '1073741824',
  'limits.created_at_past_seconds_max': '0',
  'limits.created_at_future_seconds_max': '0',
  'limits.ephemeral_age_seconds_max': '0',
  'auth.private_kinds': '',
  'log.level': 'info',
  'log.format': 'text',
};

/** Options of a start. */
interface StartOptions {
  readonly lifted?: boolean;
  readonly onOutput?: (text: string) => void;
}

/** Wok process started for a measurement, on an empty directory of its own. */
export interface StartedRelay {
  readonly url: string;
  /** Id of the process that runs now. */
  readonly pid: number;
  readonly dataDirectory: string;
  /** Line of its log that names the address and the configuration. */
  readonly facts: string;
  /** Ends the process by SIGTERM and keeps its files. */
  halt(): Promise<void>;
  /** Ends the process at once (SIGKILL) and keeps its files. */
  kill(): Promise<void>;
  /** Starts it again on its files, after `halt` or `kill`, on another port; returns the address. */
  restart(): Promise<string>;
  /** Ends the process at once and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts a wok on loopback and any free port.
 *
 * @param wok the compiled command of a build.
 * @param settings further `key=value` settings; they override the lifted limits.
 * @param options `lifted`: false for the default configuration; `onOutput` gets all its output.
 * @throws Error with its output when it does not come up.
 */
export async function startRelay(
  settings: readonly string[] = [],
  wok: string = ownWok,
  { lifted = true, onOutput = () => {} }: StartOptions = {},
): Promise<StartedRelay> {
  const home = await mkdtemp(join(tmpdir(), 'wok-bench-relay-'));
  const dataDirectory = join(home, 'data');
  // An empty file, so that no configuration of this machine is taken.
  const config = join(home, 'relay.conf');
  await writeFile(config, '');
  const base = lifted ? Object.entries(LIFTED).map(([key, value]) => `${key}=${value}`) : [];
  const all = [...base, ...settings];
  const set = all.filter((one) => !isConstantKey(keyOf(one))).flatMap((one) => ['--set', one]);
  const args = [wok, 'relay', '--config', config, '--port', '0', '--data', dataDirectory, ...set];
  const constants = constantsIn(all);
  let running = launch(args, home, constants, onOutput);
  const stop = async () => {
    // Its files are removed, so no clean stop is needed.
    await running.end('SIGKILL');
    await rm(home, { recursive: true, force: true });
  };
  try {
    const facts = await running.ready;
    return {
      url: addressIn(facts),
      get pid() {
        return running.child.pid!;
      },
      dataDirectory,
      facts,
      halt: () => running.end('SIGTERM'),
      kill: () => running.end('SIGKILL'),
      restart: async () => {
        running = launch(args, home, constants, onOutput);
        return addressIn(await running.ready);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function addressIn(facts: string): string {
  return /ws:\/\/\S+/.exec(facts)![0];
}

interface Running {
  readonly child: ChildProcess;
  /** Resolves to the line that names the address. */
  readonly ready: Promise<string>;
  end(signal: NodeJS.Signals): Promise<void>;
}

function keyOf(setting: string): string {
  return setting.split('=', 1)[0]!;
}

/** Returns the value of WOK_CONSTANTS for the constants among `key=value` settings. */
function constantsIn(settings: readonly string[]): string {
  const constants = settings
    .map((setting) => [keyOf(setting), setting.slice(keyOf(setting).length + 1)] as const)
    .filter(([key]) => isConstantKey(key))
    .map(([key, text]) => [key, /^(\d+|true|false)$/.test(text) ? JSON.parse(text) : text]);
  return JSON.stringify(Object.fromEntries(constants));
}

function launch(
  args: readonly string[],
  cwd: string,
  constants: string,
  onOutput: (text: string) => void,
): Running {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('WOK_'));
  const env = { ...Object.fromEntries(own), WOK_CONSTANTS: constants };
  // Its own process group: Ctrl-C ends the measurement before the relay.
  const child = spawn(process.execPath, args, {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream!.on('data', (chunk: Buffer) => onOutput(chunk.toString()));
  }
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  return {
    child,
    ready: firstLine(child),
    end: async (signal) => {
      await end(child, signal);
      process.removeListener('exit', killAtExit);
    },
  };
}

/** Waits for the line that names the address. */
function firstLine(child: ChildProcess): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`wok did not start: ${why}\n${output}`));
    const timer = setTimeout(() => fail('it took too long'), START_MILLISECONDS);
    const take = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX);
      const line = /^.*listens on ws:\/\/\S+.*(?=\n)/m.exec(output);
      if (line === null) return;
      clearTimeout(timer);
      resolve(line[0]);
    };
    child.stdout!.on('data', take);
    child.stderr!.on('data', take);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`it exited with status ${code}`);
    });
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
  await gone;
  clearTimeout(timer);
}
