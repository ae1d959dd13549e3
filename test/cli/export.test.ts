// `wok export --compress`, run as a command: the output is that of a plain export, also when its
// reader leaves early.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import * as zlib from 'node:zlib';
import { decompress } from 'fzstd';
import { beforeAll, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { packageRoot } from '../../src/paths.ts';
import { Author, now } from '../support/author.ts';
import { testEnvironment } from '../support/environment.ts';
import { freshDirectory } from '../support/relay.ts';
import { wok } from '../support/wok.ts';

const wokFile = join(packageRoot, 'dist/src/wok.js');
const canZstd = 'createZstdCompress' in zlib || spawnSync('zstd', ['--version']).status === 0;
const directory = freshDirectory();
let plain = '';

beforeAll(async () => {
  const author = new Author();
  const lines = Array.from({ length: 500 }, (_, n) =>
    JSON.stringify(author.event({ created_at: now() - n, content: `${n} ünïcödé `.repeat(40) })),
  );
  await wok(['import', '--data', directory], lines.join('\n'));
  plain = (await wok(['export', '--data', directory])).out;
});

/** Runs an export with other environment variables, and returns its bytes. */
async function exported(format: string, env: Record<string, string> = {}) {
  const args = [wokFile, 'export', '--data', directory, '--compress', format];
  const child = spawn(process.execPath, args, { env: { ...testEnvironment(), ...env } });
  const closed = once(child, 'close') as Promise<[number | null]>;
  const [out, err, [code]] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    closed,
  ]);
  return { out, err: err.toString(), code };
}

describe('wok export --compress', () => {
  it('gzip: the same lines, byte by byte', async () => {
    const { out, code } = await exported('gzip');
    expect(code).toBe(exitCodes.ok);
    expect(out.length).toBeLessThan(plain.length / 2);
    expect(zlib.gunzipSync(out).toString()).toBe(plain);
  });

  it.skipIf(!canZstd)('zstd: the same lines, and an import takes them', async () => {
    const { out, code } = await exported('zstd');
    expect(code).toBe(exitCodes.ok);
    expect(Buffer.from(decompress(out)).toString()).toBe(plain);
    const copy = freshDirectory();
    await wok(['import', '--data', copy], out);
    expect((await wok(['export', '--data', copy])).out).toBe(plain);
  });

  it.skipIf('createZstdCompress' in zlib)('zstd: says what is missing', async () => {
    const { out, err, code } = await exported('zstd', { PATH: freshDirectory() });
    expect(out.length).toBe(0);
    expect(err).toContain('Zstandard needs Node.js 22.15 or the program zstd');
    expect(code).toBe(exitCodes.unavailable);
  });

  it('ends with 0 when its reader leaves', async () => {
    const command = `"$0" "$1" export --data "$2" --compress gzip 2>/dev/null | head -c 10 > /dev/null; exit \${PIPESTATUS[0]}`;
    const child = spawn('bash', ['-c', command, process.execPath, wokFile, directory], {
      env: testEnvironment(),
    });
    expect(await once(child, 'close')).toEqual([exitCodes.ok, null]);
  });

  it('refuses other formats', async () => {
    const { err, code } = await exported('rar');
    expect(err).toContain('--compress must be gzip or zstd, not "rar"');
    expect(code).toBe(exitCodes.usage);
  });
});
