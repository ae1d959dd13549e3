// Paths of the installed package: its files, its version, the control socket, and the compiled
// worker threads.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE_NAME = 'wok-relay';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
}

/** Returns the package that this file belongs to, whether it runs from src/ or from dist/src/. */
function findPackage(): { root: string; manifest: Manifest } {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let at = start; ; at = dirname(at)) {
    const file = join(at, 'package.json');
    if (existsSync(file)) {
      const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
      if (manifest.name === PACKAGE_NAME) return { root: at, manifest };
    }
    if (at === dirname(at)) throw new Error(`no package.json of ${PACKAGE_NAME} above ${start}`);
  }
}

const found = findPackage();

/** Absolute path of the directory of wok's package.json. */
export const packageRoot: string = found.root;

/** Version in package.json. */
export const version: string = found.manifest.version ?? '0.0.0';

/** Address at which wok is available (NIP-11 `software`). */
export const SOFTWARE = 'https://www.npmjs.com/package/wok-relay';

/** File with the SQL of a new database. */
export const schemaFile: string = join(packageRoot, 'schema.sql');

/** Returns the path of the control socket of the relay that runs on a data directory. */
export function controlSocketFile(directory: string): string {
  return join(directory, 'wok.sock');
}

/** Returns the path of the socket for local Nostr connections to the relay on a data directory. */
export function localSocketFile(directory: string): string {
  return join(directory, 'wok-nostr.sock');
}

/** Name of a program for a worker thread: a station, or one beside the data path. */
type WorkerName =
  | 'ingester'
  | 'writer'
  | 'query'
  | 'monitor'
  | 'sync'
  | 'plugins'
  | 'admin'
  | 'peers';

/**
 * Returns the compiled entry of a station's thread. Sources (vitest) get the one in dist/ too,
 * because a worker thread cannot load TypeScript on every Node.js that wok supports.
 */
export function workerUrl(name: WorkerName): URL {
  return compiled(name);
}

/** Name of a program for threads that do short jobs beside the stations. */
type TaskName = 'check' | 'compact';

/** Returns the compiled entry of a short job, as `workerUrl` does for a station. */
export function taskUrl(name: TaskName): URL {
  return compiled(name);
}

function compiled(name: string): URL {
  const isSource = import.meta.url.endsWith('.ts');
  const workers = isSource ? '../dist/workers/' : '../workers/';
  return new URL(`${workers}${name}.js`, import.meta.url);
}
