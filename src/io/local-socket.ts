// Unix socket for Nostr connections of local programs, in the data directory. Owned by the main
// thread.

import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import { chmodSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadUws } from '../lib/uws.ts';

/** Maximum length of a Unix socket path, in bytes, including the first, temporary name. */
const PATH_BYTES_MAX = 107;

/**
 * Listening Unix socket that only its owner may open. Who can open it can also change the database
 * file, so its connections are exempt from rates and from authentication.
 */
export class LocalSocket {
  readonly #path: string;
  readonly #socket: us_listen_socket;
  /** Inode of the socket: a successor replaces the file at the path by its own. */
  readonly #inode: number;

  private constructor(path: string, socket: us_listen_socket, inode: number) {
    this.#path = path;
    this.#socket = socket;
    this.#inode = inode;
  }

  /** Listens on a path, with the routes of `app`. @throws Error if there can be no socket. */
  static listen(app: TemplatedApp, path: string): LocalSocket {
    // The socket is made in a directory closed to other users, and moved after its mode is set.
    const privateDirectory = mkdtempSync(join(dirname(path), '.s'));
    try {
      const made = join(privateDirectory, 's');
      if (Buffer.byteLength(made) > PATH_BYTES_MAX) {
        throw new Error(`the path ${path} is too long for a socket`);
      }
      let socket: us_listen_socket | false = false;
      app.listen_unix((listening) => {
        socket = listening;
      }, made);
      if (socket === false) throw new Error(`cannot listen on ${path}`);
      chmodSync(made, 0o600);
      const { ino } = statSync(made);
      renameSync(made, path);
      return new LocalSocket(path, socket, ino);
    } finally {
      rmSync(privateDirectory, { recursive: true, force: true });
    }
  }

  /** Stops listening, and removes the file unless it is the socket of another process. */
  close(): void {
    loadUws().us_listen_socket_close(this.#socket);
    const inode = statSync(this.#path, { throwIfNoEntry: false })?.ino;
    if (inode === this.#inode) rmSync(this.#path, { force: true });
  }
}
