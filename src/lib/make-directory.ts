import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory and what is missing above it; one that is there stays as it is.
 *
 * `mkdirSync` with `recursive` never returns where the system says of a directory that is there that it
 * does not exist, as /proc does when something is to be made in it (Node.js 20 to 26).
 *
 * @param mode the permissions of what is made, less those of the umask.
 * @throws the error of the system; with code ENOTDIR where a part of the path is a file, and ELOOP
 * where it is a symbolic link to nothing.
 */
export function makeDirectory(path: string, mode: number): void {
  const missing: string[] = [];
  for (let at = resolve(path); !isDirectory(at); at = dirname(at)) missing.push(at);
  for (const directory of missing.reverse()) {
    try {
      mkdirSync(directory, { mode });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Another process may have made it meanwhile.
      if (code !== 'EEXIST' || !isDirectory(directory)) throw error;
    }
  }
}

/** False where nothing is, or nothing that this user may look at. @throws what ends every attempt. */
function isDirectory(path: string): boolean {
  try {
    if (statSync(path).isDirectory()) return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && isLink(path))
      throw pathError('ELOOP', 'a symbolic link to nothing', path);
    // ENOTDIR: a file is above it, which the next step finds.
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
