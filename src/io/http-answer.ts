// Writing of HTTP responses with uWebSockets.js.

import type { HttpRequest } from 'uWebSockets.js';
import { bestOf, type Encoded } from '../lib/encoded.ts';
import { type HttpResponse, utf8 } from './uws.ts';

/**
 * Longest body that is handed over whole: it fits into the memory of any socket. Of longer bodies,
 * no copy may wait for a slow client.
 */
const COPIED_BYTES_MAX = 16 * 1024;

/** Header as name and value. */
export type Header = readonly [name: string, value: string];

/** CORS headers for readers of any origin (NIP-11, NIP-86); `*` does not cover Authorization. */
export const CORS: readonly Header[] = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Headers', '*, Authorization'],
  ['Access-Control-Allow-Methods', 'GET, POST, OPTIONS'],
];

/** Returns true if the browser has the body with this ETag in its cache. */
export function isKnown(req: HttpRequest, etag: string): boolean {
  const known = req.getHeader('if-none-match').split(',');
  return known.some((one) => one.trim() === etag || one.trim() === etag.slice(2));
}

/** Answers 304: the browser has the body. */
export function notModified(res: HttpResponse, headers: readonly Header[]): void {
  res.cork(() => {
    writeHead(res, '304 Not Modified', headers);
    endHead(res);
  });
}

/** Answers with a short body, as UTF-8, and closes the connection. */
export function answer(
  res: HttpResponse,
  status: string,
  headers: readonly Header[],
  body: string | Uint8Array,
): void {
  res.cork(() => {
    writeHead(res, status, headers);
    res.end(typeof body === 'string' ? utf8(body) : body, true);
  });
}

/** Answers with a body in the encoding that the browser prefers; HEAD gets its headers only. */
export function write(
  res: HttpResponse,
  status: string,
  type: string,
  headers: readonly Header[],
  body: Encoded,
  encodings: string,
  isHead: boolean,
): void {
  const { bytes, encoding } = bestOf(body, encodings);
  res.cork(() => {
    writeHead(res, status, [['Content-Type', type], ...headers]);
    if (encoding !== null) writeHeader(res, ['Content-Encoding', encoding]);
    if (isHead) {
      writeHeader(res, ['Content-Length', String(bytes.length)]);
      endHead(res);
    } else if (bytes.length <= COPIED_BYTES_MAX) res.end(bytes, true);
    else send(res, bytes);
  });
}

function writeHead(res: HttpResponse, status: string, headers: readonly Header[]): void {
  res.writeStatus(utf8(status));
  for (const header of headers) writeHeader(res, header);
}

function writeHeader(res: HttpResponse, [name, value]: Header): void {
  res.writeHeader(utf8(name), utf8(value));
}

/**
 * Ends a response that has no body. Given a length or a request to close, uWebSockets.js keeps
 * waiting for a body; so the client is asked to close, and closed after some seconds if it does
 * not.
 */
function endHead(res: HttpResponse): void {
  writeHeader(res, ['Connection', 'close']);
  res.endWithoutBody();
}

/**
 * Sends as much as the socket takes, and the rest when it takes more, so that all slow clients
 * share one body. uWebSockets.js closes a client that reads nothing for some seconds.
 */
function send(res: HttpResponse, bytes: Uint8Array): void {
  writeHeader(res, ['Connection', 'close']);
  const [, done] = res.tryEnd(bytes, bytes.length);
  if (done) return;
  // No action is needed, but uWebSockets.js ends the process if there is no handler.
  res.onAborted(() => {});
  res.onWritable((offset) => res.tryEnd(bytes.subarray(offset), bytes.length)[0]);
}
