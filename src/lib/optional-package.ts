// Loading of optional npm packages.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/**
 * Loads a CommonJS module of an optional npm package. Its name is unknown to the compiler, so that
 * wok also builds where the package could not be installed; the caller states its type.
 *
 * @throws Error that says that it is missing or does not load.
 */
export function requireOptional(specifier: string): unknown {
  try {
    return require(specifier);
  } catch (error) {
    const [firstLine] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new Error(`the npm module ${specifier} does not load (${firstLine})`, { cause: error });
  }
}

/** Returns the version of a package by its entry file, which must lie at the package's root. */
export function packageVersion(entry: string): string {
  const manifest = join(dirname(require.resolve(entry)), 'package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return version;
}
