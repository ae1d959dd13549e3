// Temporary directories of the tests. All of a run lie in one folder, which is removed at its end.

import { chmodSync, copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Prefix of the folder name of every run. */
const RUN_PREFIX = 'wok-test-';
/** Folder name `wok-test-HOST-PID-RANDOM`: machine and process that own the folder. */
const RUN_NAME = /^wok-test-([\w.]+)-(\d+)-\w{6}$/;
/** Length of HOST; short, because the path of a Unix socket holds about a hundred bytes. */
const HOST_LENGTH_MAX = 12;

/** Directories that no single test owns; they stay until the end of the test file. */
const ofTheFile = new Set<string>();

/**
 * Makes an empty directory in the folder of this run. It is removed at the end of the test that
 * called this, or of the test file if a hook or the file itself did; directories of a crashed
 * worker are removed at the end of the run.
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

/** Copies a data directory, without its control socket, into a fresh one. */
export function copyOfDirectory(source: string): string {
  const directory = freshDirectory();
  for (const name of readdirSync(source)) {
    if (!name.endsWith('.sock')) copyFileSync(join(source, name), join(directory, name));
  }
  return directory;
}

/** Removes the directories that `freshDirectory` made outside of tests; for the end of a file. */
export function removeDirectoriesOfTheFile(): void {
  for (const directory of ofTheFile) removeTree(directory);
  ofTheFile.clear();
}

/**
 * Makes the folder of a run in `base`, owned by this process, and removes the folders of earlier
 * runs on this machine that have no process any more, because a killed process cannot remove its
 * own.
 */
export function makeRunDirectory(base: string): string {
  const host = hostName();
  for (const name of readdirSync(base)) {
    const [, ofHost, pid] = RUN_NAME.exec(name) ?? [];
    if (ofHost === host && !isAlive(Number(pid))) removeTree(join(base, name));
  }
  return mkdtempSync(join(base, `${RUN_PREFIX}${host}-${process.pid}-`));
}

/** Removes a directory with its contents, including folders that a test has made inaccessible. */
export function removeTree(directory: string): void {
  // A process that was just killed may still be writing.
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

/** Returns true if a process with this id exists, of any user. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
