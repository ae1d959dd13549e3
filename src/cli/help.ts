// Texts of `wok --help` and `wok <command> --help`.

import { version } from '../paths.ts';
import type { Command, Flag } from './command.ts';
import { generalFlags } from './command-line.ts';
import { columns } from './mod/action.ts';

/** Returns the help of wok itself: all commands. */
export function generalHelp(commands: readonly Command[]): string {
  return [
    `wok ${version}`,
    'Usage: wok <command> [flags]',
    section(
      'Commands',
      commands.map(({ name, summary }) => [name, summary]),
    ),
    section('Flags', flagRows(generalFlags)),
    'Run wok <command> --help for the usage of a command.',
  ].join('\n\n');
}

/** Returns the help of one command: its arguments, actions, flags and examples. */
export function commandHelp({ name, args, actions, summary, flags, examples }: Command): string {
  const usage = actions === undefined ? (args ?? '') : `<${Object.keys(actions).join('|')}>`;
  const parts = [`Usage: ${['wok', name, usage].join(' ').trimEnd()} [flags]`, summary];
  if (actions !== undefined) {
    const rows = Object.entries(actions).map(([action, one]) => [
      `${action} ${one.args}`.trimEnd(),
      one.summary,
    ]);
    parts.push(section('Actions', rows));
  }
  parts.push(section('Flags', flagRows([...flags, ...generalFlags])));
  if (examples !== undefined) {
    parts.push(`Examples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
  }
  return parts.join('\n\n');
}

function flagRows(flags: readonly Flag[]): string[][] {
  return flags.map(({ name, text, of }) => [
    name,
    of === undefined ? text : `${of.join(', ')}: ${text}`,
  ]);
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  return `${title}:\n${columns(rows.map(([first, ...rest]) => [`  ${first}`, ...rest]))}`;
}
