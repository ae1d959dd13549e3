// HTTP requests and raw TCP connections to a relay, and a parser of WebSocket frames.

import { request } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Sends one HTTP request on a connection of its own, with Host and exactly these headers. */
export function http(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => {
        body += text;
      });
      answer.on('end', () =>
        resolve({ status: answer.statusCode!, headers: answer.headers, body }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** TCP connection to a relay, for bytes that no HTTP or WebSocket library would send. */
export class RawSocket {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  #closed = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    const wake = () => {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
    };
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      wake();
    });
  }

  static async connect(port: number): Promise<RawSocket> {
    const socket = connect(port, '127.0.0.1');
    const raw = new RawSocket(socket);
    await new Promise((resolve) => socket.once('connect', resolve));
    return raw;
  }

  /** Bytes received so far, without the head of the upgrade. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Requests an upgrade and returns the head of the answer. */
  async upgrade(headers: readonly string[] = [], path = '/'): Promise<string> {
    this.socket.write(
      [
        `GET ${path} HTTP/1.1`,
        'Host: relay.example',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
        '\r\n',
      ].join('\r\n'),
    );
    await this.until(() => this.received.includes('\r\n\r\n') || this.#closed);
    const received = this.received.toString('latin1');
    const end = received.indexOf('\r\n\r\n');
    const head = received.slice(0, end);
    this.#chunks.splice(0, this.#chunks.length, this.received.subarray(end + 4));
    return head;
  }

  /** Sends a text frame of up to 125 bytes, masked with zeroes. */
  sendText(text: string): void {
    const bytes = Buffer.from(text);
    const head = [0x81, 0x80 | bytes.length, 0, 0, 0, 0];
    this.socket.write(Buffer.concat([Buffer.from(head), bytes]));
  }

  /**
   * Waits until a condition holds; it is checked whenever bytes arrive or the connection closes.
   */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async ended(): Promise<void> {
    await this.until(() => this.#closed);
  }
}

/** WebSocket frame as received from the relay. */
export interface Frame {
  opcode: number;
  /** RSV1: true if the payload is deflated (RFC 7692). */
  compressed: boolean;
  payload: Buffer;
}

/** Returns the complete frames at the beginning of the bytes received after the upgrade. */
export function framesOf(received: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; received.length >= at + 2; ) {
    const [first, second] = [received[at]!, received[at + 1]!];
    let [length, head] = [second & 0x7f, 2];
    if (length === 126)
      [length, head] = [received.length < at + 4 ? 0 : received.readUInt16BE(at + 2), 4];
    else if (length === 127) {
      [length, head] = [
        received.length < at + 10 ? 0 : Number(received.readBigUInt64BE(at + 2)),
        10,
      ];
    }
    if (received.length < at + head + length) break;
    const payload = received.subarray(at + head, at + head + length);
    frames.push({ opcode: first & 0x0f, compressed: (first & 0x40) !== 0, payload });
    at += head + length;
  }
  return frames;
}
