import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packageRoot } from '../../src/paths.ts';
import { testEnvironment } from './environment.ts';

const wokFile = join(packageRoot, 'dist/src/wok.js');

/** What a command wrote, and its status. */
export interface Ran {
  out: string;
  err: string;
  /** null: it did not end by itself. */
  code: number | null;
}

/** How a command is run. */
export interface RunOptions {
  /** Standard input. */
  input?: string | Buffer;
  /** A program in JavaScript that runs first, in every thread. */
  preload?: string;
  /** The user as which it runs, when this one may choose. */
  uid?: number;
  umask?: string;
  /** After so long it is killed. */
  milliseconds?: number;
}

/** Runs a command of the build in dist/ to its end; `input` is its standard input. */
export function wok(args: readonly string[], input: string | Buffer = ''): Promise<Ran> {
  return runWok(args, { input });
}

/** As `wok`, in other circumstances. */
export async function runWok(
  args: readonly string[],
  { input = '', preload, uid, umask, milliseconds }: RunOptions = {},
): Promise<Ran> {
  if (!existsSync(wokFile)) throw new Error(`${wokFile} is missing: run npm run build`);
  const env = testEnvironment();
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
