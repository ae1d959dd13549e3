// `wok config`: checks the configuration, prints the one that applies, or prints its JSON Schema.

import { printConfig } from '../config/print.ts';
import { configJsonSchema } from '../config/schema.ts';
import { findConfigFile } from '../config/sources.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { type ActionUsage, type Call, type Command, print } from './command.ts';
import { configFlags, configOfCall } from './config-flags.ts';

interface Action extends ActionUsage {
  readonly text: (call: Call) => string;
}

const actions: Readonly<Record<string, Action>> = {
  check: {
    args: '',
    summary: 'Check the configuration',
    text(call) {
      configOfCall(call);
      const file = findConfigFile(call.flags.last('config'), call.env, call.cwd);
      return file === undefined
        ? 'There is no configuration file; the defaults, environment and flags are valid.'
        : `${file} is valid.`;
    },
  },
  print: {
    args: '',
    summary: 'Print the effective configuration as a relay.conf',
    text: (call) => (call.flags.has('defaults') ? printConfig() : printConfig(configOfCall(call))),
  },
  schema: {
    args: '',
    summary: 'Print the JSON Schema of relay.conf, for editors',
    text: () => JSON.stringify(configJsonSchema(), undefined, 2),
  },
};

/** Command `wok config`, with the actions `check`, `print` and `schema`. */
export const configCommand: Command = {
  name: 'config',
  actions,
  summary: 'Check the configuration, print the effective one, or print its JSON Schema',
  flags: [
    ...configFlags.map((flag) => ({ ...flag, of: ['check', 'print'] })),
    {
      name: '--defaults',
      text: 'The built-in defaults instead of the effective configuration',
      of: ['print'],
      excludes: ['config', 'port', 'data', 'set'],
    },
  ],
  examples: [
    'wok config check --config /etc/wok/relay.conf',
    'wok config print --defaults > relay.conf',
  ],
  async run(call) {
    print(actions[call.action]!.text(call));
    return exitCodes.ok;
  },
};
