// Sides of a comparison: an address, a build, or a commit that is built first.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from '../../src/cli/command.ts';
import { packageRoot } from '../../src/paths.ts';
import { assertMayLoad, parseTarget } from '../client/target.ts';
import type { RelaySource } from '../relay/session.ts';
import { commitOf } from '../report/environment.ts';

const run = promisify(execFile);
const COMMAND = 'dist/src/wok.js';

/** Side of a comparison. */
export interface Side {
  /** Name in the report. */
  readonly name: string;
  readonly source: RelaySource;
  /** Removes the checkout that was made for it, if any. */
  end(): Promise<void>;
}

interface SideOptions {
  readonly mayLoad: boolean;
  readonly pids: readonly number[];
  /** Settings of a wok that is started. */
  readonly settings: readonly string[];
  readonly cwd: string;
  readonly tell: (what: string) => void;
}

/**
 * Opens the side that a word of the command line names: the address of a relay, a directory with a
 * built wok, or a commit of this repository, which is checked out and built in a temporary
 * directory.
 *
 * @throws UsageError when it is none of them.
 */
export async function openSide(word: string, options: SideOptions): Promise<Side> {
  const nothing = () => Promise.resolve();
  if (/^wss?:\/\//.test(word)) {
    assertMayLoad(parseTarget(word), options.mayLoad);
    return { name: word, source: { from: 'url', url: word, pids: options.pids }, end: nothing };
  }
  const { settings } = options;
  const directory = resolve(options.cwd, word);
  const built = join(directory, COMMAND);
  if (existsSync(built)) {
    const name = `${word} (${commitOf(directory)})`;
    return { name, source: { from: 'start', settings, wok: built }, end: nothing };
  }
  const commit = await commitNamed(word);
  options.tell(`building ${word}`);
  const checkout = await build(commit);
  return {
    name: word.startsWith(commit.slice(0, 7))
      ? commit.slice(0, 7)
      : `${word} (${commit.slice(0, 7)})`,
    source: { from: 'start', settings, wok: join(checkout, COMMAND) },
    end: () => takeAway(checkout),
  };
}

async function commitNamed(word: string): Promise<string> {
  try {
    const { stdout } = await git('rev-parse', '--verify', '--quiet', `${word}^{commit}`);
    return stdout.trim();
  } catch {
    throw new UsageError(
      `"${word}" is not an address (ws://…), a directory with a built wok, or a commit here.`,
    );
  }
}

async function build(commit: string): Promise<string> {
  const checkout = await mkdtemp(join(tmpdir(), 'wok-bench-build-'));
  try {
    await git('worktree', 'add', '--detach', '--force', checkout, commit);
    // The dependencies of this checkout: an older commit may need others and then fails to build.
    await symlink(join(packageRoot, 'node_modules'), join(checkout, 'node_modules'));
    await run('npm', ['run', '--silent', 'build'], { cwd: checkout });
    return checkout;
  } catch (error) {
    await takeAway(checkout);
    const {
      stdout = '',
      stderr = '',
      message,
    } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${commit} cannot be built: ${message}\n${stdout}${stderr}`);
  }
}

async function takeAway(checkout: string): Promise<void> {
  await rm(join(checkout, 'node_modules'), { force: true });
  await git('worktree', 'remove', '--force', checkout).catch(() => {});
  await rm(checkout, { recursive: true, force: true });
}

function git(...args: string[]): Promise<{ stdout: string }> {
  return run('git', ['-C', packageRoot, ...args]);
}
