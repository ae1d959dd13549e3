// Compressed forms of HTTP bodies and the choice between them by Accept-Encoding.

import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** HTTP body in all forms; a form that is no shorter than the plain one is null. */
export interface Encoded {
  readonly plain: Uint8Array;
  readonly gzip: Uint8Array | null;
  readonly br: Uint8Array | null;
}

/** Value of the Content-Encoding header. */
type ContentEncoding = 'br' | 'gzip';

/** Minimum length of a body that is compressed, in bytes. */
const WORTHWHILE_BYTES = 512;
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

/** Compresses a body: about a millisecond for a page. */
export function encode(body: string | Uint8Array): Encoded {
  const plain = typeof body === 'string' ? Buffer.from(body) : body;
  if (plain.length < WORTHWHILE_BYTES) return { plain, gzip: null, br: null };
  const shorter = (bytes: Uint8Array) => (bytes.length < plain.length ? bytes : null);
  return { plain, gzip: shorter(gzipSync(plain)), br: shorter(brotliCompressSync(plain, BROTLI)) };
}

/** Body in the best form that an Accept-Encoding header allows: br, then gzip, then plain. */
export function bestOf(
  encoded: Encoded,
  acceptEncoding: string,
): { bytes: Uint8Array; encoding: ContentEncoding | null } {
  for (const encoding of ['br', 'gzip'] as const) {
    const bytes = encoded[encoding];
    if (bytes !== null && accepts(acceptEncoding, encoding)) return { bytes, encoding };
  }
  return { bytes: encoded.plain, encoding: null };
}

/** Returns true if a header like `text/html, image/*;q=0.8` names a word without q=0. */
export function accepts(header: string, word: string): boolean {
  return header.split(',').some((range) => {
    const [name, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return name === word && !parameters.some((one) => /^q=0(\.0*)?$/.test(one));
  });
}
