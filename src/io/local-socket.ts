// Unix socket for Nostr connections of local programs, in the data directory. Owned by the main
// thread.

import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import { rmSync, statSync } from 'node:fs';
import { makePrivateSocket } from '../lib/unix-socket.ts';
import { loadUws } from '../lib/uws.ts';

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
  static async listen(app: TemplatedApp, path: string): Promise<LocalSocket> {
    let socket: us_listen_socket | false = false;
    await makePrivateSocket(path, (made) => {
      app.listen_unix((listening) => {
        socket = listening;
      }, made);
      if (socket === false) throw new Error(`cannot listen on ${path}`);
    });
    return new LocalSocket(path, socket as never, statSync(path).ino);
  }

  /** Stops listening, and removes the file unless it is the socket of another process. */
  close(): void {
    loadUws().us_listen_socket_close(this.#socket);
    const inode = statSync(this.#path, { throwIfNoEntry: false })?.ino;
    if (inode === this.#inode) rmSync(this.#path, { force: true });
  }
}
