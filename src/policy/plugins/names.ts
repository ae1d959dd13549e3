// Names of plugins and policy modules, as used in the log and in metrics.

import { basename } from 'node:path';
import type { Config } from '../../config/options.ts';
import { parsePluginEntry } from '../../config/plugin-entry.ts';

/** Takes the seconds until an answer of a plugin or module, by its name. */
export type TimePlugin = (plugin: string, seconds: number) => void;

/** Returns the name of a policy module in the log and in metrics: its file name. */
export function moduleName(path: string): string {
  return basename(path);
}

/** Returns the names of all plugins and modules of a configuration. */
export function policyNames({ plugins, policy }: Config): string[] {
  const commands = plugins.commands.map((text) => parsePluginEntry(text)!.name);
  return [...commands, ...policy.modules.map(moduleName)];
}
