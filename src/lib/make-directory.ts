// Replacement of `mkdirSync` with `recursive`, which may never return.

import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Creates a directory and its missing parents; an existing one is not changed.
 *
 * `mkdirSync` with `recursive` never returns if the system reports for an existing directory that
 * it does not exist, as /proc does when something is to be created in it (Node.js 20 to 26).
 *
 * @param mode permissions of created directories, less those of the umask.
 * @throws the error of the system; with code ENOTDIR if a part of the path is a file, and ELOOP if
 * it is a dangling symbolic link.
 */
export function makeDirectory(path: string, mode: number): void {
  const missing: string[] = [];
  for (let at = resolve(path); !isDirectory(at); at = dirname(at)) missing.push(at);
  for (const directory of missing.reverse()) {
    try {
      mkdirSync(directory, { mode });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Another process may have created it meanwhile.
      if (code !== 'EEXIST' || !isDirectory(directory)) throw error;
    }
  }
}

/**
 * Returns false if nothing is there, or nothing that this user may stat.
 * @throws an error that ends every attempt.
 */
function isDirectory(path: string): boolean {
  try {
    if (statSync(path).isDirectory()) return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && isLink(path))
      throw pathError('ELOOP', 'a dangling symbolic link', path);
    // ENOTDIR: a parent is a file; the next step of the caller finds it.
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return false;
    throw error;
  }
  throw pathError('ENOTDIR', 'not a directory', path);
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

function pathError(code: string, text: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${text}, mkdir '${path}'`), {
    code,
    path,
    syscall: 'mkdir',
  });
}
