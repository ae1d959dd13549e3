// Command table, and the runner that turns errors of a command into a message and an exit status.

import { ConfigError } from '../config/load.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { isNativeLoadFailure, nativeLoadAdvice } from '../lib/uws.ts';
import { version } from '../paths.ts';
import { backupCommand, restoreCommand } from './backup.ts';
import { benchCommand } from './bench.ts';
import { type Command, CommandError, print, UsageError } from './command.ts';
import { CommandLineError, readCommandLine } from './command-line.ts';
import { compactCommand } from './compact.ts';
import { configCommand } from './config.ts';
import { deleteCommand } from './delete.ts';
import { doctorCommand } from './doctor.ts';
import { downloadCommand, uploadCommand } from './download.ts';
import { exportCommand, scanCommand } from './export.ts';
import { commandHelp, generalHelp } from './help.ts';
import { importCommand } from './import.ts';
import { infoCommand } from './info.ts';
import { inviteCommand } from './invite.ts';
import { metricsCommand } from './metrics.ts';
import { migrateCommand } from './migrate/migrate.ts';
import { modCommand } from './mod.ts';
import { negentropyCommand } from './negentropy.ts';
import { policyCommand } from './policy.ts';
import { relayCommand } from './relay.ts';
import { reloadCommand } from './reload.ts';
import { routerCommand } from './router.ts';
import { serviceCommand } from './service.ts';
import { statsCommand } from './stats.ts';
import { statusCommand } from './status.ts';
import { streamCommand } from './stream.ts';
import { syncCommand } from './sync.ts';
import { slowCommand } from './top/slow.ts';
import { topCommand } from './top/top.ts';
import { whyCommand } from './why.ts';

/** Commands in the order of `wok --help`. */
export const commands: readonly Command[] = [
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
  migrateCommand,
  exportCommand,
  scanCommand,
  deleteCommand,
  syncCommand,
  streamCommand,
  routerCommand,
  negentropyCommand,
  downloadCommand,
  uploadCommand,
  infoCommand,
  statsCommand,
  compactCommand,
  backupCommand,
  restoreCommand,
  doctorCommand,
  benchCommand,
];

/**
 * Runs one command line, the part after `wok`, and returns the exit status (exit-codes.ts). Output
 * goes to standard output, problems to standard error.
 *
 * @param env variables that may set options, as `WOK_IO__PORT`.
 * @throws any error that is not a wrong command line, a command that cannot do its work, a wrong
 *   configuration or a native library that does not load: a bug.
 */
export async function runCommandLine(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  let command: Command | undefined;
  try {
    const wanted = readCommandLine(argv, commands);
    switch (wanted.kind) {
      case 'version':
        print(`wok/${version} ${process.platform}-${process.arch} node-${process.version}`);
        return exitCodes.ok;
      case 'help':
        print(wanted.command === undefined ? generalHelp(commands) : commandHelp(wanted.command));
        return exitCodes.ok;
      case 'nothing':
        print(generalHelp(commands));
        return exitCodes.usage;
      default:
        ({ command } = wanted);
        return await command.run({ ...wanted.call, env, cwd: process.cwd() });
    }
  } catch (error) {
    if (error instanceof CommandLineError) ({ command } = error);
    if (error instanceof UsageError) {
      const help = command === undefined ? 'wok --help' : `wok ${command.name} --help`;
      process.stderr.write(`wok: ${error.message}\nwok: see ${help}.\n`);
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
    if (isNativeLoadFailure(error)) {
      process.stderr.write(`wok: ${nativeLoadAdvice(error)}\n`);
      return exitCodes.unavailable;
    }
    throw error;
  }
}
