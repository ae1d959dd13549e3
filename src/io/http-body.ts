import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { bestOf, type ContentEncoding, type Encoded } from '../pages/encoded.ts';

/** What fits into the memory of any socket; of longer bodies no copy may be left with a slow client. */
const COPIED_BYTES_MAX = 16 * 1024;

/** Name and value. */
export type Header = readonly [name: string, value: string];

/** Whether the browser has it already. */
export function isKnown(req: HttpRequest, etag: string): boolean {
  const known = req.getHeader('if-none-match').split(',');
  return known.some((one) => one.trim() === etag || one.trim() === etag.slice(2));
}

/** Says so. */
export function notModified(res: HttpResponse, headers: readonly Header[]): void {
  res.cork(() => {
    res.writeStatus('304 Not Modified');
    for (const [name, value] of headers) res.writeHeader(name, value);
    endHead(res);
  });
}

/**
 * Ends an answer that has no body. With a length or the wish to close as arguments, uWebSockets.js goes on
 * waiting for the body; so the client is asked to close, and closed after some seconds if it does not.
 */
function endHead(res: HttpResponse): void {
  res.writeHeader('Connection', 'close');
  res.endWithoutBody();
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
    res.writeStatus(status).writeHeader('Content-Type', type);
    for (const [name, value] of headers) res.writeHeader(name, value);
    writeEncoding(res, encoding);
    if (isHead) {
      res.writeHeader('Content-Length', String(bytes.length));
      endHead(res);
    } else if (bytes.length <= COPIED_BYTES_MAX) res.end(bytes, true);
    else send(res, bytes);
  });
}

/**
 * Sends as much as the socket takes, and the rest when it takes more: however many clients read slowly,
 * there is one body. uWebSockets.js closes who reads nothing for some seconds.
 */
function send(res: HttpResponse, bytes: Uint8Array): void {
  res.writeHeader('Connection', 'close');
  const [, done] = res.tryEnd(bytes, bytes.length);
  if (done) return;
  // Nothing has to be done then, but uWebSockets.js wants to be sure that somebody knows.
  res.onAborted(() => {});
  res.onWritable((offset) => res.tryEnd(bytes.subarray(offset), bytes.length)[0]);
}

function writeEncoding(res: HttpResponse, encoding: ContentEncoding | null): void {
  if (encoding !== null) res.writeHeader('Content-Encoding', encoding);
}
