// The command `wok` of the build in dist/, run to its end in a process of its own or in that of the
// test.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packageRoot } from '../../src/paths.ts';
import { testEnvironment } from './environment.ts';
import { constantsEnvironment, type Settings } from './relay.ts';

const wokFile = join(packageRoot, 'dist/src/wok.js');

/** Output and exit status of a command. */
export interface Ran {
  out: string;
  err: string;
  /** Exit code; null if a signal ended the command. */
  code: number | null;
}

/** Options of a run of a command. */
export interface RunOptions {
  /** Standard input. */
  input?: string | Buffer;
  /** JavaScript program that runs first, in every thread. */
  preload?: string;
  /** User and group id that the command runs as; needs the right to set it. */
  uid?: number;
  umask?: string;
  /** Constants among these settings are those of the command. */
  constants?: Settings;
  /** Time after which the command is killed, in milliseconds. */
  milliseconds?: number;
}

/** Program for `preload`: sends the command SIGINT as soon as it handles signals. */
export const SIGNAL_AT_ONCE = `process.on('newListener', (name) => {
  if (name === 'SIGTERM') setImmediate(() => process.kill(process.pid, 'SIGINT'));
});`;

/** Runs a command of the build in dist/ to its end; `input` is its standard input. */
export function wok(args: readonly string[], input: string | Buffer = ''): Promise<Ran> {
  return runWok(args, { input });
}

/** Runs a command of the build in dist/ to its end, with these options. */
export async function runWok(
  args: readonly string[],
  { input = '', preload, uid, umask, constants = {}, milliseconds }: RunOptions = {},
): Promise<Ran> {
  if (!existsSync(wokFile)) throw new Error(`${wokFile} is missing: run npm run build`);
  const env = { ...testEnvironment(), ...constantsEnvironment(constants) };
  if (preload !== undefined) {
    env.NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(preload)}`;
  }
  const command = [process.execPath, wokFile, ...args];
  const [program, ...words] =
    umask === undefined
      ? command
      : ['sh', '-c', 'umask "$1"; shift; exec "$@"', 'sh', umask, ...command];
  const child = spawn(program!, words, {
    env,
    killSignal: 'SIGKILL',
    ...(milliseconds === undefined ? {} : { timeout: milliseconds }),
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { out, err, code };
}

/** Last call of `wokHere`; the next one waits for it, because both write to the same streams. */
let lastHere: Promise<unknown> = Promise.resolve();

/**
 * Runs a command of the build in dist/ to its end in this process, for tests of what the command
 * does rather than of its process: it saves the start of Node.js and the loading of wok. Not for
 * commands that read standard input or run until a signal.
 */
export function wokHere(args: readonly string[]): Promise<Ran> {
  const ran = lastHere.then(() => runHere(args));
  lastHere = ran.catch(() => {});
  return ran;
}

async function runHere(args: readonly string[]): Promise<Ran> {
  const compiled = '../../dist/src/cli/cli.js';
  const { runCommandLine } = (await import(compiled)) as typeof import('../../src/cli/cli.ts');
  const [out, err] = [keepOutput(process.stdout), keepOutput(process.stderr)];
  try {
    const code = await runCommandLine(args, testEnvironment());
    return { out: out.text(), err: err.text(), code };
  } finally {
    out.end();
    err.end();
  }
}

/** Keeps what is written to a stream, instead of writing it, until `end`. */
function keepOutput(stream: NodeJS.WriteStream): { text(): string; end(): void } {
  const parts: Buffer[] = [];
  const write = stream.write;
  stream.write = (part: string | Uint8Array, ...rest: unknown[]) => {
    parts.push(Buffer.from(part as string));
    const written = rest.findLast((one) => typeof one === 'function');
    if (written !== undefined) queueMicrotask(() => written());
    return true;
  };
  return {
    text: () => Buffer.concat(parts).toString(),
    end: () => {
      stream.write = write;
    },
  };
}
