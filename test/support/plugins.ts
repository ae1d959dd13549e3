import { join } from 'node:path';
import { packageRoot } from '../../src/paths.ts';
import type { Settings } from './relay.ts';

/** A script of test/fixtures/plugins. */
export function script(name: string): string {
  return join(packageRoot, 'test/fixtures/plugins', name);
}

/** The setting that makes these commands plugins. */
export function plugins(...commands: string[]): Settings {
  return { 'plugins.commands': JSON.stringify(commands) };
}
