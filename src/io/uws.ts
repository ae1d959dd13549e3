// Types of uWebSockets.js objects that take bytes instead of strings, and helpers for frames.

import type { us_socket_context_t } from 'uWebSockets.js';

/** Maximum of bytes of a close reason (RFC 6455). */
const CLOSE_REASON_BYTES_MAX = 123;

/**
 * HTTP response of uWebSockets.js. All output is passed as bytes (`utf8`), never as a string: its
 * binary for Node.js 24 sends a string without characters beyond Latin-1 as Latin-1.
 */
export interface HttpResponse {
  writeStatus(status: Uint8Array): HttpResponse;
  writeHeader(name: Uint8Array, value: Uint8Array): HttpResponse;
  end(body: Uint8Array, closeConnection: boolean): HttpResponse;
  endWithoutBody(): HttpResponse;
  tryEnd(rest: Uint8Array, totalSize: number): [ok: boolean, hasResponded: boolean];
  upgrade<UserData>(
    userData: UserData,
    key: Uint8Array,
    protocol: Uint8Array,
    extensions: Uint8Array,
    context: us_socket_context_t,
  ): void;
  close(): HttpResponse;
  cork(write: () => void): HttpResponse;
  getRemoteAddressAsText(): ArrayBuffer;
  onAborted(handler: () => void): HttpResponse;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): HttpResponse;
  onWritable(handler: (offset: number) => boolean): HttpResponse;
}

/** WebSocket of uWebSockets.js; output is passed as bytes, as for `HttpResponse`. */
export interface ServerSocket {
  send(frame: Uint8Array, isBinary: boolean, compress?: boolean): number;
  end(code: number, reason: Uint8Array): void;
  close(): void;
  cork(write: () => void): unknown;
  getBufferedAmount(): number;
}

/** Encodes a text as UTF-8. */
export function utf8(text: string): Buffer {
  return Buffer.from(text);
}

/** Returns the beginning of a text that fits into a close frame, cut between two characters. */
export function closeFrameText(text: string): Buffer {
  const bytes = utf8(text);
  let end = Math.min(bytes.length, CLOSE_REASON_BYTES_MAX);
  while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
