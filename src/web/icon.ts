// Icon of the relay, read from the configured file.

import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Encoded, encode } from '../lib/encoded.ts';
import { packageRoot } from '../paths.ts';

const BYTES_MAX = 256 * 1024;
const MARK = join(packageRoot, 'src/web/browser/mark.svg');

/** Icon of the relay. */
export interface Icon {
  readonly type: string;
  readonly body: Encoded;
  /** Hash of the image: the first 16 hex digits of its SHA-256. */
  readonly hash: string;
}

/** Reads the icon in `file`, or wok's own mark for ''. @throws Error with a sentence. */
export function loadIcon(file: string): Icon {
  const bytes = read(file === '' ? MARK : file);
  const type = imageType(bytes);
  if (type === null) {
    throw new Error(
      `${file} is not a PNG, JPEG, WebP, SVG or ICO file; set pages.icon_file to one of these`,
    );
  }
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const body = type === SVG ? encode(bytes) : { plain: bytes, gzip: null, br: null };
  return { type, body, hash };
}

function read(file: string): Buffer {
  const { size } = statSync(file);
  if (size > BYTES_MAX) {
    throw new Error(`${file} has ${size} bytes; the limit for icons is ${BYTES_MAX}`);
  }
  return readFileSync(file);
}

const SVG = 'image/svg+xml';

/** Media type by the first bytes, because a file name may be wrong; null for an unknown one. */
function imageType(bytes: Buffer): string | null {
  const head = bytes.subarray(0, 12).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'image/webp';
  if (head.startsWith('\0\0\x01\0')) return 'image/x-icon';
  const text = bytes.subarray(0, 4096).toString();
  return /^\uFEFF?\s*(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)*(<!DOCTYPE[^>]*>\s*)?<svg[\s>]/i.test(
    text,
  )
    ? SVG
    : null;
}
