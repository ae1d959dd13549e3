import { join } from 'node:path';
import { packageRoot } from '../../src/paths.ts';
import type { Settings } from './relay.ts';

/** A script of test/fixtures/plugins. */
export function script(name: string): string {
  return join(packageRoot, 'test/fixtures/plugins', name);
}

/** More than any plugin of the tests needs for its start and an answer, on any machine. */
const PATIENCE_MILLISECONDS = 60_000;

/** The settings that make these commands plugins, which have their time unless they say how much. */
export function plugins(...commands: string[]): Settings {
  return {
    'plugins.commands': JSON.stringify(commands),
    'plugins.timeout_milliseconds': PATIENCE_MILLISECONDS,
  };
}
