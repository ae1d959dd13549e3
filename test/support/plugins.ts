// Settings for relays with the plugins of test/fixtures/plugins.

import { join } from 'node:path';
import { packageRoot } from '../../src/paths.ts';
import type { Settings } from './relay.ts';

/** Returns the path of a script of test/fixtures/plugins. */
export function script(name: string): string {
  return join(packageRoot, 'test/fixtures/plugins', name);
}

/** Timeout that no plugin of the tests reaches for its start or an answer, on any machine. */
const PATIENCE_MILLISECONDS = 60_000;

/** Returns settings that run these commands as plugins; a command may set its own timeout. */
export function plugins(...commands: string[]): Settings {
  return {
    'plugins.commands': JSON.stringify(commands),
    'plugins.timeout_milliseconds': PATIENCE_MILLISECONDS,
  };
}
