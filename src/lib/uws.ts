// Loading of uWebSockets.js, and advice for systems that its binaries do not support.

import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { element } from './assert.ts';

const require = createRequire(import.meta.url);

/**
 * Supported versions of Node.js, in the order of recommendation, by the ABI number of native
 * modules (`process.versions.modules`), with the glibc that the binary of uWebSockets.js needs on
 * Linux. `engines` in package.json, README.md and docs/operations.md say the same.
 */
export const supportedNodes: ReadonlyMap<
  string,
  { readonly version: string; readonly glibc: string }
> = new Map([
  ['137', { version: '24', glibc: '2.38' }],
  ['127', { version: '22', glibc: '2.38' }],
  ['141', { version: '25', glibc: '2.38' }],
  // Its binary needs 2.27, but Node.js 20 itself needs 2.28.
  ['115', { version: '20 (20.19 or newer)', glibc: '2.28' }],
]);

const LOAD_FAILURE =
  /^This version of uWS\.js supports only|^Could not locate the bindings file|\bwas compiled against a different Node\.js version|: invalid ELF header|version `GLIBC_\S+' not found/;

/** Error for a native module that could not be loaded on this system; the message has advice. */
export class NativeModuleError extends Error {
  override name = 'NativeModuleError';
}

/** System properties that select the binary of uWebSockets.js. */
export interface NativeTarget {
  /** `process.versions.node`: 22.23.5. */
  readonly node: string;
  /** `process.versions.modules`: 127. */
  readonly abi: string;
  readonly platform: string;
  readonly arch: string;
  /** Installed version of glibc; null if the C library is another one. */
  readonly glibc: string | null;
  /** Names of the files in the package uWebSockets.js. */
  readonly files: readonly string[];
}

/** Returns the target that this process runs on. */
export function thisTarget(): NativeTarget {
  const { node, modules: abi } = process.versions;
  const { platform, arch } = process;
  return { node, abi: abi ?? '', platform, arch, glibc: glibcVersion(), files: uwsFiles() };
}

/**
 * Loads uWebSockets.js.
 *
 * @throws NativeModuleError if there is no binary that runs here.
 */
export function loadUws(): typeof import('uWebSockets.js') {
  try {
    return require('uWebSockets.js') as typeof import('uWebSockets.js');
  } catch (cause) {
    throw new NativeModuleError(nativeLoadAdvice(cause), { cause });
  }
}

/** Reason why uWebSockets.js does not run, and advice; each a sentence or two. */
interface UwsProblem {
  readonly problem: string;
  readonly advice: string;
}

/** Returns why no binary of uWebSockets.js runs on a target, and advice; null if one should run. */
export function uwsProblem(target: NativeTarget): UwsProblem | null {
  const { node, abi, platform, arch, glibc, files } = target;
  const machine = `${platform}-${arch}`;
  const [major = ''] = node.split('.', 1);
  // The package is not installed at all.
  if (files.length === 0) return null;
  if (!files.some((file) => file.startsWith(`uws_${platform}_${arch}_`))) {
    return {
      problem: `uWebSockets.js has no binary for ${machine}.`,
      advice: 'Run wok on Linux with glibc (x64 or arm64), or on macOS.',
    };
  }
  if (platform === 'linux' && glibc === null) {
    return {
      problem: 'uWebSockets.js has no binary for this C library (musl, as in Alpine).',
      advice: 'Run wok on a Linux with glibc, like Debian or Ubuntu.',
    };
  }
  if (!files.includes(binaryFor(target, abi))) {
    return {
      problem: `uWebSockets.js has no binary for Node.js ${major} on ${machine}.`,
      advice: runInstead(target),
    };
  }
  const needed = supportedNodes.get(abi)?.glibc;
  if (platform === 'linux' && needed !== undefined && glibc !== null && isOlder(glibc, needed)) {
    return {
      problem: `uWebSockets.js for Node.js ${major} needs glibc ${needed} or newer, and this system has ${glibc}.`,
      advice: runInstead(target),
    };
  }
  return null;
}

/** Returns true if an error says that a compiled library is missing or does not fit here. */
export function isNativeLoadFailure(error: unknown): error is Error {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    if (code === 'ERR_DLOPEN_FAILED') return true;
    // Messages of uWebSockets.js and `bindings` (better-sqlite3), which set no code; also matches
    // an error that lost its code when it crossed a thread.
    if (LOAD_FAILURE.test(at.message)) return true;
  }
  return false;
}

/** Returns the reason why a compiled library does not load, and advice, in sentences. */
export function nativeLoadAdvice(error: unknown): string {
  // First, because reinstalling the other libraries does not help on a system that cannot run wok.
  const uws = uwsProblem(thisTarget());
  if (uws !== null) return `${uws.problem} ${uws.advice}`;
  const machine = `Node.js ${process.version} on ${process.platform}-${process.arch}`;
  return `a native library does not load with ${machine}: ${firstLine(error)}. Install the dependencies again with this Node.js (npm ci).`;
}

function runInstead(target: NativeTarget): string {
  const { platform, arch, files, glibc } = target;
  const built = [...supportedNodes].filter(([abi]) => files.includes(binaryFor(target, abi)));
  const fit = built.filter(
    ([, node]) => platform !== 'linux' || (glibc !== null && !isOlder(glibc, node.glibc)),
  );
  if (built.length === 0) return `Run wok on x64 or arm64: there is none for ${platform}-${arch}.`;
  if (fit.length === 0)
    return 'Run wok on a newer system: Debian 13 or Ubuntu 24.04 with Node.js 24.';
  const versions = fit.map(([, { version }]) => version);
  const last = element(versions.pop());
  const list = versions.length === 0 ? last : `${versions.join(', ')} or ${last}`;
  const newer =
    fit.length < built.length ? ' Newer ones need a newer system (Debian 13, Ubuntu 24.04).' : '';
  return `Run wok with Node.js ${list}.${newer}`;
}

function binaryFor({ platform, arch }: NativeTarget, abi: string): string {
  return `uws_${platform}_${arch}_${abi}.node`;
}

function uwsFiles(): string[] {
  try {
    return readdirSync(dirname(require.resolve('uWebSockets.js')));
  } catch {
    return [];
  }
}

function glibcVersion(): string | null {
  // Otherwise the report resolves the names of network interfaces, which can take seconds.
  (process.report as { excludeNetwork?: boolean }).excludeNetwork = true;
  const { header } = process.report.getReport() as unknown as {
    header: { glibcVersionRuntime?: string };
  };
  return header.glibcVersionRuntime ?? null;
}

function isOlder(have: string, needed: string): boolean {
  const [haveMajor = 0, haveMinor = 0] = have.split('.').map(Number);
  const [major = 0, minor = 0] = needed.split('.').map(Number);
  return haveMajor < major || (haveMajor === major && haveMinor < minor);
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [line = ''] = message.trim().split('\n', 1);
  return line.replace(/[.:]$/, '');
}
