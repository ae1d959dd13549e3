// Environment variables of a wok process under test.

import { join } from 'node:path';
import { packageRoot } from '../../src/paths.ts';

/**
 * Returns the environment of this process without its WOK_* and NODE_* variables, and with the
 * repository's relay.conf as configuration, whatever a relay.local.conf beside it says.
 */
export function testEnvironment(): Record<string, string> {
  const clean = Object.entries(process.env).filter(([name]) => !/^WOK_|^NODE_/.test(name));
  return {
    ...(Object.fromEntries(clean) as Record<string, string>),
    WOK_CONFIG: join(packageRoot, 'relay.conf'),
  };
}
