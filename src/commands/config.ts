import { printConfig } from '../config/print.ts';
import { configJsonSchema } from '../config/schema.ts';
import { findConfigFile } from '../config/sources.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { nearest } from '../lib/nearest.ts';
import { type Call, type Command, print, UsageError } from './command.ts';
import { configFlags, configOfCall } from './config-flags.ts';

const actions: Readonly<Record<string, (call: Call) => string>> = {
  check(call) {
    configOfCall(call);
    const file = findConfigFile(call.flags.last('config'), call.env, call.cwd);
    return file === undefined
      ? 'There is no configuration file; the defaults and what was set beside them are fine.'
      : `${file} is fine.`;
  },
  print(call) {
    return call.flags.has('defaults') ? printConfig() : printConfig(configOfCall(call));
  },
  schema() {
    return JSON.stringify(configJsonSchema(), undefined, 2);
  },
};

/** `wok config`: check the configuration, print what applies, or print its JSON Schema. */
export const configCommand: Command = {
  usage: 'config <check|print|schema>',
  summary: 'Check the configuration, print what applies, or print its JSON Schema',
  flags: [
    ...configFlags,
    { name: '--defaults', text: 'With print: the built-in defaults, whatever is configured' },
  ],
  examples: [
    'wok config check --config /etc/wok/relay.conf',
    'wok config print --defaults > relay.conf',
  ],
  async run(call) {
    const names = Object.keys(actions);
    const [name] = call.args;
    if (name === undefined)
      throw new UsageError(`Write wok config ${names.join(', or wok config ')}.`);
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      const meant = nearest(name, names) ?? names.join(', or wok config ');
      throw new UsageError(`There is no wok config ${name}. Did you mean wok config ${meant}?`);
    }
    print(action(call));
    return exitCodes.ok;
  },
};
