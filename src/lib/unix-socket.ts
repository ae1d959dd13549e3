// Unix sockets in the data directory: how they are made, and whether a process listens on one.

import { chmodSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

/** Maximum length of a Unix socket path, in bytes, including the first, temporary name. */
const PATH_BYTES_MAX = 107;

/**
 * Makes a socket that only its owner may open, in the place of one that is there.
 *
 * @param listen listens on the path that it gets, from where the socket is moved.
 * @throws Error when there can be no socket at the path, and what `listen` throws.
 */
export async function makePrivateSocket(
  path: string,
  listen: (path: string) => Promise<void> | void,
): Promise<void> {
  // The socket is made in a directory closed to other users, and moved after its mode is set.
  const privateDirectory = mkdtempSync(join(dirname(path), '.s'));
  try {
    const made = join(privateDirectory, 's');
    if (Buffer.byteLength(made) > PATH_BYTES_MAX) {
      throw new Error(`the path ${path} is too long for a socket`);
    }
    await listen(made);
    chmodSync(made, 0o600);
    renameSync(made, path);
  } finally {
    rmSync(privateDirectory, { recursive: true, force: true });
  }
}

/**
 * Returns whether a process listens on a socket; `denied`: this user may not open it. Waits for no
 * answer, so that it tells of a process that is stuck as well.
 */
export function listenerOf(path: string): Promise<'there' | 'none' | 'denied'> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve('there');
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code === 'EACCES' || code === 'EPERM' ? 'denied' : 'none');
    });
  });
}
