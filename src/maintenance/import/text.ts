// Text of the inputs of an import: gzip and Zstandard are recognised by their first bytes.

import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Decompress, type ZstdError } from 'fzstd';

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTANDARD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** A skippable frame, with which pzstd begins: 0x50 to 0x5f, then these. */
const SKIPPABLE = Buffer.from([0x2a, 0x4d, 0x18]);
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
/** Bytes by which a format is recognised. */
const MARK_BYTES = 4;
const NOTHING = new Uint8Array(0);

/** Error in a compressed input: damaged, or cut off. */
export class CompressionError extends Error {
  override name = 'CompressionError';
}

/**
 * Yields the text of an input, decompressed and with spaces for a byte order mark, in pieces of any
 * size.
 *
 * @param skip bytes of the decompressed input that are left out at its beginning.
 * @throws CompressionError when the compressed data end too soon or are damaged; what comes before
 * has been yielded.
 */
export async function* textOf(raw: AsyncIterable<Buffer>, skip = 0): AsyncGenerator<Buffer> {
  let isFirst = skip === 0;
  for await (const part of afterSkipped(decompressed(raw), skip)) {
    const { length } = BYTE_ORDER_MARK;
    if (isFirst && part.subarray(0, length).equals(BYTE_ORDER_MARK)) part.fill(' ', 0, length);
    isFirst = false;
    yield part;
  }
}

/** Yields what follows the first `skip` bytes; the first piece has at least three if there are. */
async function* afterSkipped(parts: AsyncIterable<Buffer>, skip: number): AsyncGenerator<Buffer> {
  let left = skip;
  let begin: Buffer | null = Buffer.alloc(0);
  for await (const part of parts) {
    const rest = part.subarray(Math.min(left, part.length));
    left -= part.length - rest.length;
    if (rest.length === 0) continue;
    if (begin === null) {
      yield rest;
      continue;
    }
    begin = begin.length === 0 ? rest : Buffer.concat([begin, rest]);
    if (begin.length < BYTE_ORDER_MARK.length) continue;
    yield begin;
    begin = null;
  }
  if (begin !== null && begin.length > 0) yield begin;
}

async function* decompressed(raw: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const parts = raw[Symbol.asyncIterator]();
  let begin: Buffer = Buffer.alloc(0);
  while (begin.length < MARK_BYTES) {
    const { done, value } = await parts.next();
    if (done === true) break;
    begin = begin.length === 0 ? value : Buffer.concat([begin, value]);
  }
  const all = joined(begin, parts);
  if (begin.subarray(0, GZIP.length).equals(GZIP)) yield* gunzipped(all);
  else if (isZstandard(begin)) yield* unzstandarded(all);
  else yield* all;
}

function isZstandard(begin: Buffer): boolean {
  if (begin.subarray(0, MARK_BYTES).equals(ZSTANDARD)) return true;
  return ((begin[0] ?? 0) & 0xf0) === 0x50 && begin.subarray(1, MARK_BYTES).equals(SKIPPABLE);
}

async function* joined(begin: Buffer, parts: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (begin.length > 0) yield begin;
  for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
    yield next.value;
  }
}

async function* gunzipped(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  // An error on either side ends the stream that is read here.
  pipeline(parts, gunzip, () => {});
  try {
    for await (const part of gunzip) yield part as Buffer;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') throw new CompressionError('the gzip data end too soon');
    if (code?.startsWith('Z_'))
      throw new CompressionError(`the gzip data are damaged (${message})`);
    throw error;
  }
}

async function* unzstandarded(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let found: Uint8Array[] = [];
  const decoder = new Decompress((data) => {
    if (data.length > 0) found.push(data);
  });
  const push = (part: Uint8Array, isLast: boolean) => {
    try {
      decoder.push(part, isLast);
    } catch (error) {
      const { message } = error as ZstdError;
      if (isLast) throw new CompressionError('the Zstandard data end too soon');
      throw new CompressionError(`the Zstandard data are damaged (${message})`);
    }
  };
  for await (const part of parts) {
    push(part, false);
    const ready = found;
    found = [];
    for (const data of ready) yield Buffer.from(data.buffer, data.byteOffset, data.length);
  }
  push(NOTHING, true);
  for (const data of found) yield Buffer.from(data.buffer, data.byteOffset, data.length);
}
