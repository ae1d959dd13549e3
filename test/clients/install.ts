// Installation of the client libraries of each language, done again when a file that pins their
// versions changes.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CLIENTS, type Library } from './libraries.ts';

const run = promisify(execFile);

/** Longest time of a download or a build, in milliseconds. */
const INSTALL_MILLISECONDS = 240_000;

type Language = Library['language'];

interface Step {
  program: string;
  args: readonly string[];
  /** Working directory, relative to the folder of the clients. */
  directory: string;
}

interface Recipe {
  /** Files that define the installation: when they change, it is created again. */
  pinned: readonly string[];
  /** Path that exists once it is installed. */
  result: string;
  /** File, ignored by git, for the digest of what was installed. */
  stamp: string;
  steps: readonly Step[];
}

const RECIPES: Readonly<Record<Language, Recipe>> = {
  JavaScript: {
    pinned: ['package-lock.json'],
    result: 'node_modules/nostr-tools',
    stamp: 'node_modules/.wok-installed',
    steps: [{ program: 'npm', args: ['ci', '--ignore-scripts', '--no-audit'], directory: '.' }],
  },
  Python: {
    pinned: ['python/requirements.txt'],
    result: 'python/.venv/bin/python',
    stamp: 'python/.venv/.wok-installed',
    steps: [
      { program: 'python3', args: ['-m', 'venv', '.venv'], directory: 'python' },
      {
        program: 'python/.venv/bin/python',
        args: ['-m', 'pip', 'install', '--quiet', '-r', 'python/requirements.txt'],
        directory: '.',
      },
    ],
  },
  Go: {
    pinned: ['go/go.sum', 'go/main.go'],
    result: 'go/client',
    stamp: 'go/client.wok-installed',
    steps: [{ program: 'go', args: ['build', '-o', 'client', '.'], directory: 'go' }],
  },
};

/**
 * Installs the client libraries of a language where they are missing or of another version. Returns
 * null, or the reason why they are not there: no such language on this machine, or no registry.
 */
export async function install(language: Language): Promise<string | null> {
  const { pinned, result, stamp, steps } = RECIPES[language];
  const hash = createHash('sha256');
  for (const file of pinned) hash.update(readFileSync(join(CLIENTS, file)));
  const digest = hash.digest('hex');
  const stampFile = join(CLIENTS, stamp);
  const isCurrent = existsSync(stampFile) && readFileSync(stampFile, 'utf8') === digest;
  if (isCurrent && existsSync(join(CLIENTS, result))) return null;
  for (const { program, args, directory } of steps) {
    try {
      const cwd = join(CLIENTS, directory);
      await run(program, args, { cwd, timeout: INSTALL_MILLISECONDS, killSignal: 'SIGKILL' });
    } catch (error) {
      const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
      if (code === 'ENOENT') return `${program} is not on this machine`;
      const [reason = ''] = stderr.trim().split('\n').slice(-1);
      return `"${program} ${args.join(' ')}" failed in test/clients/${directory}: ${reason}`;
    }
  }
  writeFileSync(stampFile, digest);
  return null;
}
