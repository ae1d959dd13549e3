import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packageRoot } from '../../src/paths.ts';

/** How a command ended, and what it wrote. */
export interface Ran {
  out: string;
  err: string;
  code: number | null;
}

/** Runs `wok` with these arguments and without any configuration of the machine, to its end. */
export async function wok(...args: string[]): Promise<Ran> {
  const clean = Object.entries(process.env).filter(([name]) => !/^WOK_|^NODE_/.test(name));
  const child = spawn(process.execPath, [join(packageRoot, 'dist/src/wok.js'), ...args], {
    env: Object.fromEntries(clean),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { out, err, code };
}
