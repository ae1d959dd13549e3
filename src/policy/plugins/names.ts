import { basename } from 'node:path';
import type { Config } from '../../config/options.ts';
import { parsePluginEntry } from '../../config/plugin-entry.ts';

/** Takes how long a plugin or module, by its name, had for an answer. */
export type TimePlugin = (plugin: string, seconds: number) => void;

/** What a policy module is called in the log and in metrics: its file. */
export function moduleName(path: string): string {
  return basename(path);
}

/** The names of all plugins and modules of a configuration. */
export function policyNames({ plugins, policy }: Config): string[] {
  const commands = plugins.commands.map((text) => parsePluginEntry(text)!.name);
  return [...commands, ...policy.modules.map(moduleName)];
}
