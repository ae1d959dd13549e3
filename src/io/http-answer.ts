import type { HttpRequest } from 'uWebSockets.js';
import { bestOf, type Encoded } from '../pages/encoded.ts';
import { type HttpResponse, utf8 } from './uws.ts';

/** What fits into the memory of any socket; of longer bodies no copy may be left with a slow client. */
const COPIED_BYTES_MAX = 16 * 1024;

/** Name and value. */
export type Header = readonly [name: string, value: string];

/**
 * For what pages from anywhere may read (NIP-11, NIP-86); `*` does not cover Authorization.
 */
export const CORS: readonly Header[] = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Headers', '*, Authorization'],
  ['Access-Control-Allow-Methods', 'GET, POST, OPTIONS'],
];

/** Whether the browser has it already. */
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

/** Answers with a short body, a text in UTF-8, and closes the connection. */
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

/** Answers with a body in the form that the browser likes best; HEAD gets the head of it. */
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
 * Ends an answer that has no body. With a length or the wish to close as arguments, uWebSockets.js goes on
 * waiting for the body; so the client is asked to close, and closed after some seconds if it does not.
 */
function endHead(res: HttpResponse): void {
  writeHeader(res, ['Connection', 'close']);
  res.endWithoutBody();
}

/**
 * Sends as much as the socket takes, and the rest when it takes more: however many clients read slowly,
 * there is one body. uWebSockets.js closes who reads nothing for some seconds.
 */
function send(res: HttpResponse, bytes: Uint8Array): void {
  writeHeader(res, ['Connection', 'close']);
  const [, done] = res.tryEnd(bytes, bytes.length);
  if (done) return;
  // Nothing has to be done then, but uWebSockets.js ends the process when there is no handler.
  res.onAborted(() => {});
  res.onWritable((offset) => res.tryEnd(bytes.subarray(offset), bytes.length)[0]);
}
