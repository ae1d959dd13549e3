import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { bestOf, type ContentEncoding, type Encoded } from '../pages/encoded.ts';

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
    if (!isHead) res.end(bytes, true);
    else {
      res.writeHeader('Content-Length', String(bytes.length));
      endHead(res);
    }
  });
}

function writeEncoding(res: HttpResponse, encoding: ContentEncoding | null): void {
  if (encoding !== null) res.writeHeader('Content-Encoding', encoding);
}
