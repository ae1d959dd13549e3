import { chmodSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { AdminErrorCode } from './room.ts';

/** Connections at once; more are closed. */
const CLIENTS_MAX = 32;
/** Longest request, in UTF-16 units. */
const LINE_LENGTH_MAX = 1024 * 1024;
/** Requests of one client that may wait for their answer; the client is not read until one is done. */
const IN_FLIGHT_MAX = 16;
/** A client that has not read so many bytes of answers is cut off. */
const UNREAD_BYTES_MAX = 64 * 1024 * 1024;
/** What a path of a Unix socket may have, in bytes, with the temporary name that it gets first. */
const PATH_BYTES_MAX = 107;

/** One request, a line of JSON. `id` comes back with the answer, whatever it is. */
export interface ControlRequest {
  id: unknown;
  method: string;
  params?: unknown;
}

/** Its answer, a line of JSON: either a result or an error. */
export type ControlAnswer =
  | { id: unknown; result: unknown }
  | { id: unknown; error: { code: AdminErrorCode | 'crash'; message: string } };

/**
 * The local control socket: a Unix socket in the data directory that only its owner may use. One line
 * of JSON is a request, one line is its answer; several may be under way, and answers come as they are
 * ready. Who can open it may do everything, so there is nothing to authenticate.
 */
export class ControlSocket {
  readonly #path: string;
  readonly #answer: (request: ControlRequest) => Promise<ControlAnswer>;
  readonly #clients = new Set<Socket>();
  #server: Server | null = null;

  constructor(path: string, answer: (request: ControlRequest) => Promise<ControlAnswer>) {
    this.#path = path;
    this.#answer = answer;
  }

  /** @throws Error when there can be no socket at the path. */
  async listen(): Promise<void> {
    // It is made in a directory that nobody else may enter, and moved when only its owner may use it.
    const nursery = mkdtempSync(join(dirname(this.#path), '.s'));
    try {
      const made = join(nursery, 's');
      if (Buffer.byteLength(made) > PATH_BYTES_MAX) {
        throw new Error(`the path ${this.#path} is too long for a socket`);
      }
      const server = createServer((socket) => this.#serve(socket));
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(made, resolve);
      });
      chmodSync(made, 0o600);
      renameSync(made, this.#path);
      server.unref();
      this.#server = server;
    } finally {
      rmSync(nursery, { recursive: true, force: true });
    }
  }

  close(): void {
    if (this.#server === null) return;
    this.#server.close();
    for (const client of this.#clients) client.end();
    rmSync(this.#path, { force: true });
  }

  #serve(socket: Socket): void {
    if (this.#clients.size >= CLIENTS_MAX) {
      socket.destroy();
      return;
    }
    this.#clients.add(socket);
    let text = '';
    let inFlight = 0;
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#clients.delete(socket));
    socket.on('data', (chunk: string) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop()!;
      for (const line of lines) {
        if (line.trim() === '') continue;
        inFlight++;
        if (inFlight >= IN_FLIGHT_MAX) socket.pause();
        void this.#handle(line).then((answer) => {
          inFlight--;
          if (socket.destroyed) return;
          socket.write(`${JSON.stringify(answer)}\n`);
          if (socket.writableLength > UNREAD_BYTES_MAX) socket.destroy();
          else if (inFlight < IN_FLIGHT_MAX) socket.resume();
        });
      }
      if (text.length > LINE_LENGTH_MAX) {
        socket.end(`${JSON.stringify(wrong(null, 'The request is too long.'))}\n`);
      }
    });
  }

  async #handle(line: string): Promise<ControlAnswer> {
    let request: Partial<ControlRequest> | null;
    try {
      request = JSON.parse(line) as Partial<ControlRequest> | null;
    } catch {
      return wrong(null, 'A request is a line of JSON.');
    }
    const { id = null, method, params } = request ?? {};
    if (typeof method !== 'string') return wrong(id, 'A request has a method, a text.');
    return this.#answer({ id, method, params });
  }
}

function wrong(id: unknown, message: string): ControlAnswer {
  return { id, error: { code: 'usage', message } };
}
