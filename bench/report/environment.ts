// Bench and machine of a measurement.

import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { packageRoot, version } from '../../src/paths.ts';
import type { Environment } from './result.ts';

/** Returns the bench and the machine of a measurement. */
export function environment(): Environment {
  return {
    bench: `wok bench ${version}`,
    commit: commitOf(packageRoot),
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
  };
}

/** Returns the short name of a checkout's commit, with a + when files differ; empty without git. */
export function commitOf(directory: string): string {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', directory, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
    return git('rev-parse', '--short', 'HEAD') + (isChanged ? '+' : '');
  } catch {
    return '';
  }
}
