import { parseArgs } from 'node:util';
import { type CAC, cac } from 'cac';
import { ConfigError } from '../config/load.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { nearest } from '../lib/nearest.ts';
import { version } from '../paths.ts';
import { backupCommand, restoreCommand } from './backup.ts';
import { benchCommand } from './bench.ts';
import { type Command, CommandError, type Flag, Flags, UsageError } from './command.ts';
import { configCommand } from './config.ts';
import { deleteCommand } from './delete.ts';
import { doctorCommand } from './doctor.ts';
import { exportCommand, scanCommand } from './export.ts';
import { importCommand } from './import.ts';
import { inviteCommand } from './invite.ts';
import { metricsCommand } from './metrics.ts';
import { modCommand } from './mod.ts';
import { policyCommand } from './policy.ts';
import { relayCommand } from './relay.ts';
import { reloadCommand } from './reload.ts';
import { serviceCommand } from './service.ts';
import { statusCommand } from './status.ts';
import { slowCommand } from './top/slow.ts';
import { topCommand } from './top/top.ts';
import { whyCommand } from './why.ts';

/** All commands, in the order of `wok --help`. */
const commands: readonly Command[] = [
  relayCommand,
  reloadCommand,
  serviceCommand,
  statusCommand,
  topCommand,
  slowCommand,
  metricsCommand,
  modCommand,
  inviteCommand,
  whyCommand,
  policyCommand,
  configCommand,
  importCommand,
  exportCommand,
  scanCommand,
  deleteCommand,
  backupCommand,
  restoreCommand,
  doctorCommand,
  benchCommand,
];

/**
 * Runs one command line, the part after `wok`, and returns the exit status (exit-codes.ts). Output
 * goes to standard output, problems to standard error.
 *
 * @throws what is neither a wrong command line nor a wrong configuration: a bug.
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`wok: ${error.message}\nwok: wok --help tells more.\n`);
      return exitCodes.usage;
    }
    if (error instanceof CommandError) {
      process.stderr.write(`wok: ${error.message}\n`);
      return error.exitCode;
    }
    if (error instanceof ConfigError) {
      process.stderr.write(error.problems.map((problem) => `wok: ${problem}\n`).join(''));
      return exitCodes.config;
    }
    throw error;
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const cli = describe();
  // cac finds the command and prints help and version by itself.
  const { options } = cli.parse(['node', 'wok', ...argv], { run: false });
  if (options.help === true) return exitCodes.ok;
  const name = cli.matchedCommandName;
  if (options.version === true) {
    if (name !== undefined) cli.outputVersion();
    return exitCodes.ok;
  }

  const command = commands.find(({ usage }) => usage.split(' ', 1)[0] === name);
  const flags = readFlags(argv, command?.flags ?? []);
  if (command === undefined) {
    const [unknown] = cli.args;
    if (unknown !== undefined) throw new UsageError(unknownCommand(unknown));
    cli.outputHelp();
    return exitCodes.usage;
  }
  const arity = command.usage.includes('...') ? Infinity : command.usage.split(' ').length - 1;
  const surplus = cli.args[arity];
  if (surplus !== undefined) throw new UsageError(`wok ${name} cannot use "${surplus}".`);
  return command.run({ args: cli.args, flags, env: process.env, cwd: process.cwd() });
}

function describe(): CAC {
  const cli = cac('wok');
  for (const { usage, summary, flags, examples = [] } of commands) {
    const command = cli.command(usage, summary);
    for (const flag of flags) command.option(flag.name, flag.text);
    for (const example of examples) command.example(`  $ ${example}`);
  }
  cli.help();
  cli.version(version);
  return cli;
}

function unknownCommand(name: string): string {
  const names = commands.map(({ usage }) => usage.split(' ', 1)[0]!);
  const meant = nearest(name, names);
  const advice =
    meant === undefined ? `There is: ${names.join(', ')}.` : `Did you mean wok ${meant}?`;
  return `There is no command "${name}". ${advice}`;
}

/**
 * The flags of a command line as they were typed. cac itself would turn values that look like numbers
 * into numbers (a directory 007 into 7).
 *
 * @throws UsageError for a flag that is not known, and for a missing or a superfluous value.
 */
function readFlags(argv: readonly string[], known: readonly Flag[]): Flags {
  const takesValue = new Map<string, boolean>([
    ['help', false],
    ['version', false],
  ]);
  for (const { name } of known) {
    takesValue.set(name.split(' ', 1)[0]!.slice(2), name.includes('<'));
  }
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      [...takesValue].map(([name, takes]) => [name, { type: takes ? 'string' : 'boolean' }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });

  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const takes = takesValue.get(name);
    if (takes === undefined) throw new UsageError(unknownFlag(rawName, [...takesValue.keys()]));
    if (takes && value === undefined) throw new UsageError(`${rawName} needs a value.`);
    if (!takes && value !== undefined) throw new UsageError(`${rawName} takes no value.`);
    values.set(name, [...(values.get(name) ?? []), ...(value === undefined ? [] : [value])]);
  }
  return new Flags(values);
}

function unknownFlag(rawName: string, known: readonly string[]): string {
  const meant = nearest(rawName.replace(/^-+/, ''), known);
  const advice =
    meant === undefined
      ? `There is: ${known.map((name) => `--${name}`).join(', ')}.`
      : `Did you mean --${meant}?`;
  return `There is no flag ${rawName}. ${advice}`;
}
