// `wok service`: installs wok as a systemd service, removes it, restarts it, and shows its state.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ExitCode, exitCodes } from '../lib/exit-codes.ts';
import {
  InstallError,
  install,
  places,
  type System,
  uninstall,
  unitText,
} from '../service/install.ts';
import { StorageError } from '../store/database/error.ts';
import { openAsSuccessor } from '../store/database/open.ts';
import { type ActionUsage, type Call, type Command, CommandError, print } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { askRelay } from './control.ts';

const POLL_MILLISECONDS = 100;
/** Most time that a successor may take to answer after the old process has handed over. */
const ANSWER_MILLISECONDS = 60_000;

interface Action extends ActionUsage {
  readonly run: (call: Call) => Promise<ExitCode> | ExitCode;
}

const actions: Readonly<Record<string, Action>> = {
  install: {
    args: '',
    summary: 'Create user, directories, configuration and unit, and start the service',
    run(call) {
      const system = systemOf(call);
      if (call.flags.has('print')) print(unitText());
      else install(system, !call.flags.has('no-start'));
      return exitCodes.ok;
    },
  },
  uninstall: {
    args: '',
    summary: 'Stop the service and remove the unit',
    run(call) {
      uninstall(systemOf(call), call.flags.has('purge'));
      return exitCodes.ok;
    },
  },
  restart: {
    args: '',
    summary: 'Restart the service',
    async run(call) {
      if (call.flags.has('graceful')) return gracefully(call);
      systemOf(call).run('systemctl', 'restart', 'wok.service');
      print('The relay has been restarted.');
      return exitCodes.ok;
    },
  },
  status: {
    args: '',
    summary: 'Show the status of the systemd unit',
    run() {
      const done = spawnSync('systemctl', ['--no-pager', 'status', 'wok.service'], {
        stdio: 'inherit',
      });
      if (done.error) throw new CommandError(missing('systemctl'), exitCodes.unavailable);
      return done.status === 0 ? exitCodes.ok : exitCodes.unavailable;
    },
  },
};

/** Command `wok service`: manages wok as a service of systemd. */
export const serviceCommand: Command = {
  name: 'service',
  actions,
  summary: 'Install, uninstall, restart or show wok as a systemd service',
  flags: [
    ...directoryFlags.map((flag) => ({ ...flag, of: ['restart'], needs: 'graceful' })),
    {
      name: '--graceful',
      text: 'Hand over to a new process without refusing connections',
      of: ['restart'],
    },
    { name: '--no-start', text: 'Do not start the service', of: ['install'] },
    {
      name: '--print',
      text: 'Only print the unit file',
      of: ['install'],
      excludes: ['no-start', 'root'],
    },
    {
      name: '--purge',
      text: 'Also remove configuration and DATABASE',
      of: ['uninstall'],
    },
    {
      name: '--root <directory>',
      text: 'Put everything under this directory',
      of: ['install', 'uninstall'],
    },
  ],
  examples: ['sudo wok service install', 'sudo wok service restart --graceful'],
  async run(call) {
    try {
      return await actions[call.action]!.run(call);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (error instanceof InstallError) throw new CommandError(message, exitCodes.refused);
      if (code === 'EACCES' || code === 'EPERM') {
        throw new CommandError(
          `this user may not do that (${message}); run it with sudo.`,
          exitCodes.noPermission,
        );
      }
      if (/^E[A-Z]+$/.test(code ?? ''))
        throw new CommandError(`${message}.`, exitCodes.cannotCreate);
      throw error;
    }
  },
};

/** Tells the relay to start its successor, and waits until that one answers. */
async function gracefully(call: Call): Promise<ExitCode> {
  const asked = onService(call);
  const { pid } = await askRelay<{ pid: number }>(asked, 'status');
  checkSchema(asked);
  await askRelay(asked, 'restart');
  const end = performance.now() + ANSWER_MILLISECONDS;
  while (performance.now() < end) {
    const now = await askRelay<{ pid: number; version: string }>(asked, 'status').catch(() => null);
    if (now !== null && now.pid !== pid) {
      print(`wok ${now.version}, process ${now.pid}, has taken over from process ${pid}.`);
      return exitCodes.ok;
    }
    await delay(POLL_MILLISECONDS);
  }
  throw new CommandError('the new process does not answer; see its log.', exitCodes.unavailable);
}

/**
 * Checks that this wok, which may be newer than the one that runs, accepts the database as it is.
 *
 * @throws CommandError if it does not.
 */
function checkSchema(call: Call): void {
  try {
    openAsSuccessor(configOfCall(call).storage).close();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new CommandError(`no graceful restart: ${error.message}.`, exitCodes.refused);
  }
}

/** Returns the call with the configuration of the service, unless the call names another one. */
function onService(call: Call): Call {
  const named = call.flags.has('config') || call.flags.has('data');
  if (named || !existsSync(places.config)) return call;
  return { ...call, env: { WOK_CONFIG: places.config, ...call.env } };
}

function systemOf(call: Call): System {
  const root = call.flags.last('root');
  return {
    root: root === undefined ? '' : resolve(call.cwd, root),
    say: print,
    succeeds: (program, ...args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0,
    run(program, ...args) {
      const done = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
      if (done.error) throw new CommandError(missing(program), exitCodes.unavailable);
      if (done.status !== 0) {
        throw new CommandError(`${program} ${args.join(' ')} failed.`, exitCodes.refused);
      }
    },
  };
}

function missing(program: string): string {
  return `${program} was not found; wok service needs systemd. See docs/operations.md for other setups.`;
}
