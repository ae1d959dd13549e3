// Flags of the commands that read the configuration, and the configuration that they select.

import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import type { Call, Flag } from './command.ts';

/** Flags of every command that reads the configuration. */
export const configFlags: readonly Flag[] = [
  {
    name: '--config <file>',
    text: 'Read this file (else the first of $WOK_CONFIG, ./relay.local.conf, ./relay.conf, /etc/wok/relay.conf)',
  },
  { name: '--port <number>', text: 'TCP port, 0 for any free one (io.port)' },
  { name: '--data <directory>', text: 'Where the database is (storage.directory)' },
  {
    name: '--set <key=value>',
    text: 'Set any option, like --set log.level=debug; may be repeated',
    repeatable: true,
  },
];

/** Flags of a command that reads the configuration and listens on no port. */
export const directoryFlags: readonly Flag[] = configFlags.filter(
  ({ name }) => !name.startsWith('--port'),
);

/** Loads the configuration that a call asks for. @throws ConfigError */
export function configOfCall({ flags, env, cwd }: Call): Config {
  return loadConfig({
    file: flags.last('config'),
    env,
    cwd,
    flags: { port: flags.last('port'), data: flags.last('data'), set: flags.all('set') },
  });
}
