// Versions of Node.js and systems that wok runs on, and what it says elsewhere: uwsProblem and
// engineFinding as units, commands in processes that pretend to have another Node.js.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import {
  isNativeLoadFailure,
  NativeModuleError,
  type NativeTarget,
  supportedNodes,
  thisTarget,
  uwsProblem,
} from '../../src/lib/uws.ts';
import { engineFinding } from '../../src/maintenance/doctor/machine.ts';
import { packageRoot } from '../../src/paths.ts';
import { freshDirectory } from '../support/relay.ts';
import { runWok, wok } from '../support/wok.ts';

const uws = join(packageRoot, 'node_modules/uWebSockets.js');
const files = readdirSync(uws);
const read = (name: string) => readFileSync(join(packageRoot, name), 'utf8');

const DEBIAN_12: NativeTarget = {
  node: '20.20.2',
  abi: '115',
  platform: 'linux',
  arch: 'x64',
  glibc: '2.36',
  files,
};
const DEBIAN_13: NativeTarget = { ...DEBIAN_12, glibc: '2.41' };

/** Runs wok in a process that runs this script first, in all threads. */
function wokAfter(script: string, args: readonly string[]) {
  return runWok(args, { preload: script });
}

describe('the binaries of uWebSockets.js', () => {
  it.each(['x64', 'arm64'])('for linux-%s are there, and need the glibc that is said', (arch) => {
    for (const [abi, { glibc }] of supportedNodes) {
      const binary = readFileSync(join(uws, `uws_linux_${arch}_${abi}.node`), 'latin1');
      const minors = [...binary.matchAll(/\bGLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
      const needed = Math.max(...minors);
      // Node.js 20 itself needs 2.28, so that is the version stated for it.
      expect(`2.${Math.max(needed, 28)}`, abi).toBe(glibc);
    }
  });

  it('for other versions of Node.js are not there, or that version is out of use', () => {
    const abis = files.flatMap((name) => /^uws_linux_x64_(\d+)\.node$/.exec(name)?.[1] ?? []);
    const further = abis.filter((abi) => Number(abi) >= 115 && !supportedNodes.has(abi));
    // 120 is Node.js 21.
    expect(further).toEqual(['120']);
  });
});

describe('the check of a system', () => {
  it.each<[string, NativeTarget]>([
    ['Node.js 20, glibc 2.36', DEBIAN_12],
    ['Node.js 20, glibc 2.28', { ...DEBIAN_12, glibc: '2.28' }],
    ['Node.js 22, glibc 2.41', { ...DEBIAN_13, node: '22.23.5', abi: '127' }],
    ['Node.js 24, glibc 2.38', { ...DEBIAN_13, node: '24.22.3', abi: '137', glibc: '2.38' }],
    ['Node.js 24, glibc 3.0', { ...DEBIAN_13, node: '24.22.3', abi: '137', glibc: '3.0' }],
    ['Node.js 24 on arm64', { ...DEBIAN_13, node: '24.22.3', abi: '137', arch: 'arm64' }],
    ['Node.js 24 on macOS', { ...DEBIAN_13, abi: '137', platform: 'darwin', glibc: null }],
    ['this process', thisTarget()],
  ])('%s: finds nothing wrong', (_, target) => {
    expect(uwsProblem(target)).toBeNull();
    expect(engineFinding(target, () => {})).toMatchObject({ name: 'node', severity: 'ok' });
  });

  it('reports a binary that does not load', () => {
    const fails = () => {
      throw new NativeModuleError('it is cut off');
    };
    expect(engineFinding(DEBIAN_12, fails)).toMatchObject({
      severity: 'bad',
      text: 'it is cut off',
    });
  });

  it('tells a native library that does not load from other failures', () => {
    const dlopen = Object.assign(new Error('GLIBC_2.38 not found'), { code: 'ERR_DLOPEN_FAILED' });
    expect(isNativeLoadFailure(dlopen)).toBe(true);
    expect(isNativeLoadFailure(new Error('no socket', { cause: dlopen }))).toBe(true);
    expect(isNativeLoadFailure(new Error('This version of uWS.js supports only Node.js'))).toBe(
      true,
    );
    expect(isNativeLoadFailure(new Error('Could not locate the bindings file. Tried:'))).toBe(true);
    // Errors as they come out of a thread, without their code.
    for (const text of [
      'The module x.node\nwas compiled against a different Node.js version using NODE_MODULE_VERSION 115.',
      "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by x.node)",
      'x.node: invalid ELF header',
    ]) {
      expect(isNativeLoadFailure(new Error(text))).toBe(true);
    }
    expect(isNativeLoadFailure(new Error('a bug'))).toBe(false);
    expect(isNativeLoadFailure(undefined)).toBe(false);
  });
});

describe('a system without a binary', () => {
  it.each<[string, Partial<NativeTarget>, string, string]>([
    [
      'Node.js 26 on Debian 12',
      { ...DEBIAN_12, node: '26.12.1', abi: '147' },
      'uWebSockets.js has no binary for Node.js 26 on linux-x64.',
      'Run wok with Node.js 20 (20.19 or newer). Newer ones need a newer system (Debian 13, Ubuntu 24.04).',
    ],
    [
      'Node.js 26 on Debian 13',
      { node: '26.12.1', abi: '147' },
      'uWebSockets.js has no binary for Node.js 26 on linux-x64.',
      'Run wok with Node.js 24, 22, 25 or 20 (20.19 or newer).',
    ],
    [
      'Node.js 23 on Debian 13',
      { node: '23.11.0', abi: '131' },
      'uWebSockets.js has no binary for Node.js 23 on linux-x64.',
      'Run wok with Node.js 24, 22, 25 or 20 (20.19 or newer).',
    ],
    [
      'Node.js 22 on Debian 12',
      { ...DEBIAN_12, node: '22.23.5', abi: '127' },
      'uWebSockets.js for Node.js 22 needs glibc 2.38 or newer, and this system has 2.36.',
      'Run wok with Node.js 20 (20.19 or newer). Newer ones need a newer system (Debian 13, Ubuntu 24.04).',
    ],
    [
      'Node.js 24 on CentOS 7',
      { node: '24.22.3', abi: '137', glibc: '2.17' },
      'uWebSockets.js for Node.js 24 needs glibc 2.38 or newer, and this system has 2.17.',
      'Run wok on a newer system: Debian 13 or Ubuntu 24.04 with Node.js 24.',
    ],
    [
      'Alpine',
      { node: '22.23.5', abi: '127', glibc: null },
      'uWebSockets.js has no binary for this C library (musl, as in Alpine).',
      'Run wok on a Linux with glibc, like Debian or Ubuntu.',
    ],
    [
      'Node.js 22 on a 32-bit ARM',
      { node: '22.23.5', abi: '127', arch: 'arm' },
      'uWebSockets.js has no binary for Node.js 22 on linux-arm.',
      'Run wok with Node.js 20 (20.19 or newer).',
    ],
    [
      'RISC-V',
      { arch: 'riscv64' },
      'uWebSockets.js has no binary for linux-riscv64.',
      'Run wok on Linux with glibc (x64 or arm64), or on macOS.',
    ],
  ])('%s: is told what is wrong and what to run instead', (_, difference, problem, advice) => {
    const target = { ...DEBIAN_13, ...difference };
    expect(uwsProblem(target)).toEqual({ problem, advice });
    expect(engineFinding(target)).toMatchObject({ severity: 'bad', text: problem, advice });
  });
});

describe('on a Node.js without a binary', () => {
  const NODE_26 = `for (const [name, value] of [['node', '26.12.1'], ['modules', '147']])
    Object.defineProperty(process.versions, name, { value });`;
  const sentence =
    /uWebSockets\.js has no binary for Node\.js 26 on \w+-\w+\.\s.*Run wok with Node\.js /s;

  it('the start says so, and what to run instead', async () => {
    const directory = freshDirectory();
    const { out, err, code } = await wokAfter(NODE_26, [
      'relay',
      '--port',
      '0',
      '--data',
      directory,
    ]);
    expect(err).toMatch(sentence);
    expect(err).toMatch(/^wok: [^\n]+\n$/);
    expect(err).not.toMatch(/glibc 2|npm ci/);
    expect({ out, code }).toEqual({ out: '', code: exitCodes.unavailable });
  });

  it('wok doctor says so, too', async () => {
    const directory = freshDirectory();
    await wok(['import', '--data', directory]);
    const { out, code } = await wokAfter(NODE_26, ['doctor', '--data', directory]);
    expect(out).toMatch(/^BAD {3}process node/m);
    expect(out).toMatch(sentence);
    expect(code).toBe(exitCodes.refused);
    const here = await wok(['doctor', '--data', directory]);
    expect(here.out).toMatch(/^ok {4}process node +uWebSockets\.js runs with Node\.js /m);
  });

  it('commands that only use the database work', async () => {
    const directory = freshDirectory();
    const { code } = await wokAfter(NODE_26, ['import', '--data', directory]);
    expect(code).toBe(exitCodes.ok);
    expect((await wokAfter(NODE_26, ['config', 'check'])).code).toBe(exitCodes.ok);
  });
});

describe('where better-sqlite3 was installed with another Node.js', () => {
  const OTHER_ABI = `const load = process.dlopen;
    process.dlopen = (module, file, ...rest) => {
      if (!/better_sqlite3/.test(file)) return load(module, file, ...rest);
      const message = 'The module ' + file + '\\nwas compiled against a different Node.js version';
      throw Object.assign(new Error(message), { code: 'ERR_DLOPEN_FAILED' });
    };`;

  it.each([
    ['relay --port 0'],
    ['import'],
    ['export'],
    ['scan {}'],
    ['delete --age 1d --dry-run'],
    ['delete --age 1d'],
    ['backup COPY'],
    ['restore DATABASE --force'],
    ['doctor'],
    ['doctor --repair'],
  ])('wok %s says so', async (line) => {
    const directory = freshDirectory();
    await wok(['import', '--data', directory]);
    const args = line.split(' ').map((word) => {
      if (word === 'COPY') return join(directory, 'copy.db');
      return word === 'DATABASE' ? join(directory, 'wok.db') : word;
    });
    const { out, err, code } = await wokAfter(OTHER_ABI, [...args, '--data', directory]);
    expect(err).toMatch(
      /^wok: a native library does not load with Node\.js v\S+ on \S+: The module \S+better_sqlite3\.node\. Install the dependencies again with this Node\.js \(npm ci\)\.\n$/,
    );
    expect({ out, code }).toEqual({ out: '', code: exitCodes.unavailable });
  });
});

describe('what is written agrees', () => {
  const versions = [...supportedNodes.values()].map(({ version }) => version);

  it('package.json', () => {
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    const ranges = versions.map((one) => (one.startsWith('20') ? '>=20.19 <21' : one)).sort();
    expect(engines.node.split(' || ')).toEqual([ranges.pop()!, ...ranges].sort(byMajor));
  });

  it.each(['README.md', 'docs/getting-started.md', 'docs/operations.md'])('%s', (file) => {
    const said = read(file).replaceAll(/\s+/g, ' ');
    expect(said).toContain('Node.js 20 (20.19 or newer) with glibc 2.28 or newer');
    expect(said).toContain('Node.js 22, 24 or 25 with glibc 2.38 or newer');
    expect(said).toMatch(/Node\.js 21, 23 (or|and) 26/);
    expect(said).toMatch(/Alpine/);
  });

  it('the container', () => {
    expect(read('deploy/container/Dockerfile')).toMatch(/^FROM node:20-bookworm /m);
  });

  function byMajor(left: string, right: string): number {
    return Number(/\d+/.exec(left)) - Number(/\d+/.exec(right));
  }
});
