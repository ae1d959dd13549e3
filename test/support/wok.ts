import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packageRoot } from '../../src/paths.ts';

const wokFile = join(packageRoot, 'dist/src/wok.js');

/** What a command wrote, and its status. */
export interface Ran {
  out: string;
  err: string;
  code: number | null;
}

/** Runs a command of the build in dist/ to its end; `input` is its standard input. */
export async function wok(args: readonly string[], input: string | Buffer = ''): Promise<Ran> {
  if (!existsSync(wokFile)) throw new Error(`${wokFile} is missing: run npm run build`);
  const clean = Object.entries(process.env).filter(([name]) => !/^WOK_|^NODE_/.test(name));
  const child = spawn(process.execPath, [wokFile, ...args], { env: Object.fromEntries(clean) });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { out, err, code };
}
