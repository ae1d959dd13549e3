// Loader of policy modules: imports a file and checks its exports.

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PolicyModule } from './module-api.d.ts';

/** Hooks that a policy module may export. */
export const HOOKS = ['acceptEvent', 'acceptFilter', 'acceptConnection'] as const;

/** Loads a policy module. @throws Error named ConfigError, with a sentence for the operator. */
export async function loadModule(path: string): Promise<PolicyModule> {
  const file = resolve(path);
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    throw wrongModule(`there is no file ${file}`);
  }
  let module: PolicyModule;
  try {
    module = (await import(pathToFileURL(file).href)) as PolicyModule;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
      throw wrongModule(
        `${file} cannot be loaded: TypeScript needs Node.js 22.18 or later; compile it to JavaScript`,
      );
    }
    throw wrongModule(`${file} cannot be loaded: ${(error as Error).stack ?? String(error)}`);
  }
  const exported = module as unknown as Record<string, unknown>;
  for (const name of [...HOOKS, 'start', 'stop']) {
    const value = exported[name];
    if (value !== undefined && typeof value !== 'function') {
      throw wrongModule(`${file} exports ${name}, which is not a function`);
    }
  }
  if (!HOOKS.some((name) => exported[name] !== undefined)) {
    throw wrongModule(`${file} exports none of ${HOOKS.join(', ')}`);
  }
  return module;
}

/** Returns an error that ends the start of the relay with the status of a wrong configuration. */
export function wrongModule(sentence: string): Error {
  return Object.assign(new Error(`policy.modules: ${sentence}`), { name: 'ConfigError' });
}
