// WebSocket client of the load generator, on plain sockets. Each thread has one read buffer and one
// frame writer, shared by all its connections.

import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CLOSE, FrameReader, type FrameSink, FrameWriter, PING, PONG } from './frames.ts';
import type { Target } from './target.ts';

const READ_BYTES = 256 * 1024;
const HANDSHAKE_BYTES_MAX = 16 * 1024;
const HEADER_END = '\r\n\r\n';
/** Time that a socket has to close, in milliseconds; it is destroyed then. */
const CLOSE_MILLISECONDS = 1000;

/**
 * Read buffer of all plain sockets of a thread, which saves an allocation for each read. A read and
 * its callback are one step of the event loop, so no two of them overlap. TLS sockets do not use
 * it.
 */
let readMemory: Buffer | undefined;
/** Frame writer of the thread: it is filled and emptied within one step of the event loop. */
const writer = new FrameWriter();

/**
 * Returns an upgrade request with a fresh key, and the `Sec-WebSocket-Accept` that must answer it.
 */
export function upgradeRequest(
  { host, port, path }: Target,
  address: string,
): { request: string; expected: string } {
  const key = randomBytes(16).toString('base64');
  const expected = createHash('sha1')
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const forwarded = address === '' ? '' : `X-Forwarded-For: ${address}\r\n`;
  const request =
    `GET ${path} HTTP/1.1\r\nHost: ${authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nUser-Agent: wok-bench\r\n` +
    `${forwarded}\r\n`;
  return { request, expected };
}

/** Receiver of what happens on a connection. */
export interface ConnectionOwner {
  /** Receives a text message. The bytes are valid during the call only. */
  text(connection: Connection, bytes: Buffer, start: number, end: number): void;
  /** Called after all messages of one read: a good moment to send. */
  readEnd?(connection: Connection): void;
  /**
   * Called when the relay or the network ended an open connection; not after `close` or `destroy`,
   * and not when it never opened.
   */
  closed(connection: Connection, why: string): void;
}

/**
 * WebSocket client reduced to what a load generator needs: no event emitter, no message objects, no
 * copies of received bytes, no extensions. Messages to send are gathered and leave in one write.
 */
export class Connection implements FrameSink {
  /** Number that the owner gave to this connection. */
  readonly number: number;
  bytesIn = 0;
  bytesOut = 0;
  /** Milliseconds from the start of connecting to the server's 101. */
  handshakeMilliseconds = 0;
  isOpen = false;
  readonly #owner: ConnectionOwner;
  readonly #reader: FrameReader;
  readonly #target: Target;
  readonly #address: string;
  #socket: Socket | undefined;
  #why = '';
  /** Bytes received before the handshake was over. */
  #head = '';
  #opened: ((error?: Error) => void) | undefined;
  #closing = false;

  private constructor(owner: ConnectionOwner, target: Target, number: number, address: string) {
    this.#owner = owner;
    this.#target = target;
    this.number = number;
    this.#address = address;
    this.#reader = new FrameReader(this);
  }

  /**
   * Opens a connection.
   *
   * @param options `address` is sent as X-Forwarded-For, for a relay that trusts this machine.
   * @throws Error that says why it could not be opened within `timeoutMilliseconds`.
   */
  static open(
    target: Target,
    owner: ConnectionOwner,
    { number = 0, timeoutMilliseconds = 10_000, address = '' } = {},
  ): Promise<Connection> {
    const connection = new Connection(owner, target, number, address);
    return new Promise((resolve, reject) => {
      const began = performance.now();
      const timer = setTimeout(() => {
        connection.#opened?.(new Error('the handshake timed out'));
      }, timeoutMilliseconds);
      connection.#opened = (error) => {
        clearTimeout(timer);
        connection.#opened = undefined;
        if (error !== undefined) {
          connection.destroy();
          reject(error);
          return;
        }
        connection.handshakeMilliseconds = performance.now() - began;
        connection.isOpen = true;
        resolve(connection);
      };
      connection.#connect();
    });
  }

  /**
   * Frame writer that gathers messages until `flush`. All connections of the thread share it, so
   * flush before another one writes.
   */
  get out(): FrameWriter {
    return writer;
  }

  /** Sends the frames gathered in `out`. */
  flush(): void {
    if (writer.length === 0) return;
    const bytes = writer.take();
    this.bytesOut += bytes.length;
    this.#socket?.write(bytes);
  }

  /** Sends one message at once. */
  send(text: string): void {
    writer.text(text);
    this.flush();
  }

  /** Stops reading, so that the server's answers pile up. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Sends a close frame; resolves when the socket is closed, after a second at most. */
  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return;
    this.#closing = true;
    this.isOpen = false;
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const timer = setTimeout(() => socket.destroy(), CLOSE_MILLISECONDS);
    writer.control(CLOSE, Uint8Array.of(0x03, 0xe8));
    this.flush();
    socket.resume();
    await gone;
    clearTimeout(timer);
  }

  /** Closes the socket without a close frame. */
  destroy(): void {
    this.#closing = true;
    this.isOpen = false;
    this.#socket?.destroy();
  }

  text(bytes: Buffer, start: number, end: number): void {
    this.#owner.text(this, bytes, start, end);
  }

  control(opcode: number, payload: Buffer): void {
    if (opcode === PING) {
      writer.control(PONG, payload);
      this.flush();
    } else if (opcode === CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.#why = `the relay closed the connection: ${code} ${payload.toString('utf8', 2)}`.trim();
      this.#socket?.end();
    }
  }

  fault(what: string): void {
    this.#why = `the relay broke the protocol: ${what}`;
    this.#socket?.destroy();
  }

  #connect(): void {
    const { tls, host, port } = this.#target;
    readMemory ??= Buffer.allocUnsafeSlow(READ_BYTES);
    const memory = readMemory;
    let socket: Socket;
    if (tls) {
      socket = connectTls({ host, port, servername: host });
      socket.once('secureConnect', () => this.#greet());
      socket.on('data', (chunk: Buffer) => this.#take(chunk, chunk.length));
    } else {
      const callback = (length: number, bytes: Uint8Array) => {
        this.#take(bytes as Buffer, length);
        return true;
      };
      socket = connect({ host, port, noDelay: true, onread: { buffer: memory, callback } });
      socket.once('connect', () => this.#greet());
    }
    this.#socket = socket;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#why = error.code ?? error.message;
    });
    socket.on('close', () => this.#ended());
  }

  #greet(): void {
    const { request, expected } = upgradeRequest(this.#target, this.#address);
    this.#head = '';
    this.#expected = expected;
    this.#socket?.write(request);
  }

  #expected = '';

  #take(bytes: Buffer, length: number): void {
    this.bytesIn += length;
    if (this.#opened !== undefined) {
      this.#handshake(bytes, length);
    } else {
      this.#reader.push(bytes, length);
    }
    this.#owner.readEnd?.(this);
  }

  #handshake(bytes: Buffer, length: number): void {
    this.#head += bytes.toString('latin1', 0, length);
    const end = this.#head.indexOf(HEADER_END);
    if (end < 0) {
      if (this.#head.length > HANDSHAKE_BYTES_MAX) this.#opened?.(new Error('no HTTP answer'));
      return;
    }
    const rest = Buffer.from(this.#head.slice(end + HEADER_END.length), 'latin1');
    const [status, ...lines] = this.#head.slice(0, end).split('\r\n');
    this.#head = '';
    const code = status?.split(' ', 2)[1];
    const accepted = lines.some((line) => {
      const [name, value] = line.split(': ', 2);
      return name?.toLowerCase() === 'sec-websocket-accept' && value?.trim() === this.#expected;
    });
    if (code !== '101') {
      this.#opened?.(new Error(`the relay answered HTTP ${code}`));
    } else if (!accepted) {
      this.#opened?.(new Error('the handshake response is invalid'));
    } else {
      this.#opened?.();
      // Some relays send a message in the same packet as the 101.
      if (rest.length > 0) this.#reader.push(rest, rest.length);
    }
  }

  #ended(): void {
    const why = this.#why === '' ? 'the relay closed the connection' : this.#why;
    if (this.#opened !== undefined) {
      this.#opened(new Error(why));
      return;
    }
    const wasOpen = this.isOpen;
    this.isOpen = false;
    if (wasOpen && !this.#closing) this.#owner.closed(this, why);
  }
}
