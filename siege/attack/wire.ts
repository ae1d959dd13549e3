// WebSocket client for floods, which writes raw bytes.

import { connect, type Socket } from 'node:net';
import { upgradeRequest } from '../../bench/client/connection.ts';
import type { Target } from '../../bench/client/target.ts';

const HEADER_END = '\r\n\r\n';
const HEAD_CHARACTERS_MAX = 16 * 1024;

/**
 * WebSocket that writes bytes unchanged and discards what it receives, or does not even read it.
 */
export class Wire {
  bytesIn = 0;
  isOpen = true;
  /** Promise that resolves when either side has ended the connection. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;

  private constructor(socket: Socket, reads: boolean) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.isOpen = false;
        resolve();
      });
    });
    socket.on('data', (chunk: Buffer) => {
      this.bytesIn += chunk.length;
    });
    if (!reads) socket.pause();
  }

  /**
   * Opens a WebSocket as a client of this address.
   *
   * @returns the status of the HTTP answer when there was no upgrade, or 0 when there was no
   * answer.
   */
  static open(target: Target, address: string, reads: boolean): Promise<Wire | number> {
    const socket = connect({ host: target.host, port: target.port, noDelay: true });
    socket.on('error', () => {});
    socket.once('connect', () => socket.write(upgradeRequest(target, address).request));
    return new Promise((resolve) => {
      let head = '';
      const onClose = () => resolve(0);
      const onData = (chunk: Buffer) => {
        head += chunk.toString('latin1');
        if (!head.includes(HEADER_END) && head.length < HEAD_CHARACTERS_MAX) return;
        socket.off('close', onClose);
        socket.off('data', onData);
        const status = Number(head.split(' ', 2)[1]);
        if (status === 101) {
          resolve(new Wire(socket, reads));
          return;
        }
        socket.destroy();
        resolve(status);
      };
      socket.once('close', onClose);
      socket.on('data', onData);
    });
  }

  /**
   * Resolves to true when the kernel has taken the bytes; to false when the connection has ended.
   */
  write(...parts: readonly Uint8Array[]): Promise<boolean> {
    if (!this.isOpen) return Promise.resolve(false);
    return new Promise((resolve) => {
      const onClose = () => resolve(false);
      this.#socket.once('close', onClose);
      const onWritten = (error: Error | null | undefined) => {
        this.#socket.off('close', onClose);
        resolve(error === null || error === undefined);
      };
      this.#socket.cork();
      for (const [n, part] of parts.entries()) {
        this.#socket.write(part, n === parts.length - 1 ? onWritten : undefined);
      }
      this.#socket.uncork();
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
