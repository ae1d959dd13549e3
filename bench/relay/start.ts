import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/paths.ts';

const START_MILLISECONDS = 30_000;
const STOP_MILLISECONDS = 20_000;
const OUTPUT_CHARACTERS_MAX = 4000;

/** wok's command in the build that this bench belongs to. */
export const ownWok: string = join(packageRoot, 'dist/src/wok.js');

/**
 * What a bench does that people do not: thousands of connections from one address, events of a fixed
 * day, many subscriptions on a connection. Everything else is as it comes, durability above all.
 */
const LIFTED: Readonly<Record<string, string>> = {
  'io.connections_max': '200000',
  'io.connections_per_ip_max': '200000',
  'limits.subscriptions_max': '10000',
  'limits.created_at_past_seconds_max': '0',
  'limits.created_at_future_seconds_max': '0',
  'limits.ephemeral_age_seconds_max': '0',
  'log.level': 'info',
  'log.format': 'text',
};

/** A wok that was started for measuring, on an empty directory of its own. */
export interface StartedRelay {
  readonly url: string;
  readonly pid: number;
  readonly dataDirectory: string;
  /** The line with which it says how it runs. */
  readonly facts: string;
  /** Ends the process, but keeps its files. */
  halt(): Promise<void>;
  /** Ends the process and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts a wok on loopback and any free port.
 *
 * @param wok the compiled command of a build.
 * @param settings further `key=value` settings; they win over what is lifted.
 * @throws Error with what it wrote when it does not come up.
 */
export async function startRelay(
  settings: readonly string[] = [],
  wok: string = ownWok,
): Promise<StartedRelay> {
  const home = await mkdtemp(join(tmpdir(), 'wok-bench-relay-'));
  const dataDirectory = join(home, 'data');
  // An empty file, so that no configuration of this machine is taken.
  const config = join(home, 'relay.conf');
  await writeFile(config, '');
  const lifted = Object.entries(LIFTED).map(([key, value]) => `${key}=${value}`);
  const set = [...lifted, ...settings].flatMap((setting) => ['--set', setting]);
  const args = [wok, 'relay', '--config', config, '--port', '0', '--data', dataDirectory, ...set];
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('WOK_')),
  );
  // In a process group of its own, so that Ctrl-C ends the measuring and not the relay first.
  const child = spawn(process.execPath, args, {
    cwd: home,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const halt = async () => {
    await end(child);
    process.removeListener('exit', killAtExit);
  };
  const stop = async () => {
    await halt();
    await rm(home, { recursive: true, force: true });
  };
  try {
    const facts = await firstLine(child);
    const url = /ws:\/\/\S+/.exec(facts)![0];
    return { url, pid: child.pid!, dataDirectory, facts, halt, stop };
  } catch (error) {
    await stop();
    throw error;
  }
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
      fail(`it ended with status ${code}`);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
  await gone;
  clearTimeout(timer);
}
