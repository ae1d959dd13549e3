// Compressed standard output of commands.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';

/** Format of compressed output. */
export type Compression = 'gzip' | 'zstd';

/** Stream that compresses what is written to it. */
export interface CompressedOutput {
  readonly stream: Writable;
  /** Ends the stream; resolves when all is written. @throws Error of the program zstd. */
  end(): Promise<void>;
}

/** Part of node:zlib that Node.js has from 22.15 on. */
interface Zstd {
  createZstdCompress?: () => zlib.Gzip;
}

/**
 * Compresses to an output. Zstandard needs Node.js 22.15, or the program `zstd`.
 *
 * A reader that closes the output (`wok export | head`) destroys the stream.
 */
export function compressTo(output: NodeJS.WriteStream, format: Compression): CompressedOutput {
  const make = format === 'gzip' ? zlib.createGzip : (zlib as Zstd).createZstdCompress;
  if (make === undefined) return byProgram();
  const stream = make();
  const done = pipeline(stream, output, { end: false });
  // Without a listener the error of a closed output would end the process.
  done.catch(() => {});
  return {
    stream,
    end: async () => {
      stream.end();
      await done.catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
      });
    },
  };
}

/** Compresses by the program `zstd`, which writes to standard output itself. */
function byProgram(): CompressedOutput {
  const child = spawn('zstd', ['-q', '-c'], { stdio: ['pipe', 'inherit', 'inherit'] });
  let failure: Error | null = null;
  const ended = once(child, 'close').catch((error: NodeJS.ErrnoException) => {
    const isMissing = error.code === 'ENOENT';
    failure = isMissing
      ? new Error('Zstandard needs Node.js 22.15 or the program zstd, which is not installed here')
      : error;
  });
  const { stdin } = child;
  stdin.on('error', () => stdin.destroy());
  return {
    stream: stdin,
    end: async () => {
      stdin.end();
      await ended;
      if (failure !== null) throw failure;
    },
  };
}
