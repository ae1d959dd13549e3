import { join } from 'node:path';
import { packageRoot } from '../../src/paths.ts';

/**
 * The environment of a wok under test: what Node.js and wok would be told by this machine's is left out,
 * and the configuration is the repository's, whatever a relay.local.conf beside it says.
 */
export function testEnvironment(): Record<string, string> {
  const clean = Object.entries(process.env).filter(([name]) => !/^WOK_|^NODE_/.test(name));
  return {
    ...(Object.fromEntries(clean) as Record<string, string>),
    WOK_CONFIG: join(packageRoot, 'relay.conf'),
  };
}
