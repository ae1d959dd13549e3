import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CLOSE, FrameReader, type FrameSink, FrameWriter, PING, PONG } from './frames.ts';
import type { Target } from './target.ts';

const READ_BYTES = 256 * 1024;
const HANDSHAKE_BYTES_MAX = 16 * 1024;
const HEADER_END = '\r\n\r\n';
/** How long a socket may take to go away after it was asked to. */
const CLOSE_MILLISECONDS = 1000;

/**
 * All sockets of a thread are read into the same memory, which saves an allocation for each read: a
 * read and its callback are one step of the event loop, so no two of them overlap.
 */
let readMemory: Buffer | undefined;
/** One for the thread, too: it is filled and emptied within a step. */
const writer = new FrameWriter();

/** The request for a WebSocket with a key of its own, and the answer to the key that it has to bring. */
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

/** What a connection tells its owner. */
export interface ConnectionOwner {
  /** A text message. The bytes are valid during the call only. */
  text(connection: Connection, bytes: Buffer, start: number, end: number): void;
  /** Everything that came in one read has been handed over: a good moment to send. */
  readEnd?(connection: Connection): void;
  /** The connection has ended, whoever ended it. Not called when it never opened. */
  closed(connection: Connection, why: string): void;
}

/**
 * A WebSocket client reduced to what a load generator needs: no events, no objects for messages, no
 * copies of what comes, no extensions. Messages to send are gathered and leave in one write.
 */
export class Connection implements FrameSink {
  /** The owner's number for this connection. */
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
  /** What came before the handshake was over. */
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
   * @param options `address` is what X-Forwarded-For says, for a relay that believes this machine.
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

  /** Gathers a message; `flush` sends it. One connection at a time: flush before another's turn. */
  get out(): FrameWriter {
    return writer;
  }

  /** Sends what was gathered in `out`. */
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

  /** Bytes handed over that the network has not taken yet. */
  get unsentBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** Stops reading, so that the server's answers pile up. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Says goodbye; resolves when the connection is gone, after a second at most. */
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

  /** Ends the connection without a word. */
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
      this.#opened?.(new Error('the answer to the handshake is wrong'));
    } else {
      this.#opened?.();
      // Some relays speak first, in the same packet.
      if (rest.length > 0) this.#reader.push(rest, rest.length);
    }
  }

  #ended(): void {
    const why = this.#why === '' ? 'the relay hung up' : this.#why;
    if (this.#opened !== undefined) {
      this.#opened(new Error(why));
      return;
    }
    const wasOpen = this.isOpen;
    this.isOpen = false;
    if (wasOpen && !this.#closing) this.#owner.closed(this, why);
  }
}
