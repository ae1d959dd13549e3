import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE_NAME = 'wok-relay';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
}

/** The package that this file belongs to, whether it runs from src/ or from dist/src/. */
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

/** The directory of wok's package.json, absolute. */
export const packageRoot: string = found.root;

/** The version in package.json. */
export const version: string = found.manifest.version ?? '0.0.0';

/** Where wok is to be had (NIP-11 `software`). */
export const SOFTWARE = 'https://www.npmjs.com/package/wok-relay';

/** The SQL of a new database. */
export const schemaFile: string = join(packageRoot, 'schema.sql');

/** The relay.conf that comes with wok: every option with its default. */
export const sampleConfigFile: string = join(packageRoot, 'relay.conf');

/** The control socket of the relay that runs on a data directory. */
export function controlSocketFile(directory: string): string {
  return join(directory, 'wok.sock');
}

/** What runs in worker threads: the stations, and the rooms beside them. */
export type WorkerName = 'ingester' | 'writer' | 'query' | 'monitor' | 'sync' | 'plugins' | 'admin';

/**
 * The compiled main of a station's thread. Sources (vitest) get the one in dist/ too, because a
 * worker thread cannot load TypeScript on every Node.js that wok supports.
 */
export function workerUrl(name: WorkerName): URL {
  return compiled(name);
}

/** Programs of threads that do short jobs beside the stations. */
export type TaskName = 'check';

/** As `workerUrl`, for the tasks of piscina. */
export function taskUrl(name: TaskName): URL {
  return compiled(name);
}

function compiled(name: string): URL {
  const isSource = import.meta.url.endsWith('.ts');
  const workers = isSource ? '../dist/workers/' : '../workers/';
  return new URL(`${workers}${name}.js`, import.meta.url);
}
