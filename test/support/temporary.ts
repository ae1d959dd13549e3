/** The temporary directories of the tests. All of a run stand below one folder, which goes away with it. */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** What the folder of every run begins with. */
const RUN_PREFIX = 'wok-test-';
/** `wok-test-HOST-PID-RANDOM`: the process that owns the folder, and the machine it runs on. */
const RUN_NAME = /^wok-test-([\w.]+)-(\d+)-\w{6}$/;
/** Short, because the path of a Unix socket has room for about a hundred bytes. */
const HOST_LENGTH_MAX = 12;

/** Directories that no test owns: they stay until the end of the file. */
const ofTheFile = new Set<string>();

/**
 * An empty directory below the folder of this run. It is removed with the test that asks for it, or with
 * the file when a hook or the file itself does; what a worker that died has left goes with the run.
 */
export function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'd-'));
  try {
    onTestFinished(() => removeTree(directory));
  } catch {
    ofTheFile.add(directory);
  }
  return directory;
}

/** Removes what `freshDirectory` made outside of tests; for the end of a file. */
export function removeDirectoriesOfTheFile(): void {
  for (const directory of ofTheFile) removeTree(directory);
  ofTheFile.clear();
}

/**
 * Makes the folder of a run, which this process owns, below `base`, and removes the folders of runs on this
 * machine whose process is gone: one that was killed cannot do it.
 */
export function makeRunDirectory(base: string): string {
  const host = hostName();
  for (const name of readdirSync(base)) {
    const [, ofHost, pid] = RUN_NAME.exec(name) ?? [];
    if (ofHost === host && !isAlive(Number(pid))) removeTree(join(base, name));
  }
  return mkdtempSync(join(base, `${RUN_PREFIX}${host}-${process.pid}-`));
}

/** Removes a directory with everything in it, folders that a test has closed to everybody included. */
export function removeTree(directory: string): void {
  // Something that was just killed may still be writing.
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 };
  try {
    rmSync(directory, options);
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    openFolders(directory);
    rmSync(directory, options);
  }
}

function openFolders(directory: string): void {
  chmodSync(directory, 0o700);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) openFolders(join(directory, entry.name));
  }
}

function hostName(): string {
  const name = hostname().replace(/[^\w.]/g, '');
  return name.slice(0, HOST_LENGTH_MAX) || 'host';
}

/** Whether there is a process of this id, of whatever user. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
