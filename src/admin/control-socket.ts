// Local control socket: JSON lines over a Unix socket, for the `wok` commands. Owned by the admin
// worker.

import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { makePrivateSocket } from '../lib/unix-socket.ts';
import type { RpcErrorCode } from '../rpc/method.ts';

/** Maximum number of connections; further ones are closed. */
const CLIENTS_MAX = 32;
/** Maximum length of a request, in UTF-16 units. */
const LINE_LENGTH_MAX = 1024 * 1024;
/**
 * Requests in flight of one client at which reading from it pauses until one is answered. Lines
 * that were already read are still handled.
 */
const IN_FLIGHT_MAX = 16;
/** Bytes of unread answers above which a client is disconnected. */
const UNREAD_BYTES_MAX = 64 * 1024 * 1024;

/** One request, a line of JSON. `id` may be any value and is returned with the answer. */
export interface ControlRequest {
  id: unknown;
  method: string;
  params?: unknown;
}

/** Answer to a request, a line of JSON: either a result or an error. */
export type ControlAnswer =
  | { id: unknown; result: unknown }
  | { id: unknown; error: { code: RpcErrorCode | 'crash'; message: string } };

/**
 * Unix socket in the data directory that only its owner may open. Each line of JSON is a request
 * and gets a line of JSON as its answer; several requests may be in flight, and answers are sent in
 * the order of completion. Requests are not authenticated: access to the socket grants all rights.
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

  /** Listens on the path. @throws Error when there can be no socket at the path. */
  async listen(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    await makePrivateSocket(
      this.#path,
      (path) =>
        new Promise<void>((resolve, reject) => {
          server.once('error', reject);
          server.listen(path, resolve);
        }),
    );
    server.unref();
    this.#server = server;
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
      return wrong(null, 'A request must be one line of JSON.');
    }
    const { id = null, method, params } = request ?? {};
    if (typeof method !== 'string') return wrong(id, 'A request must have a method, a string.');
    return this.#answer({ id, method, params });
  }
}

function wrong(id: unknown, message: string): ControlAnswer {
  return { id, error: { code: 'usage', message } };
}
