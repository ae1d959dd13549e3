// Client of the control socket: asks the relay that runs on the configured data directory.

import { statSync } from 'node:fs';
import { connect } from 'node:net';
import type { ControlAnswer } from '../admin/control-socket.ts';
import { type ExitCode, exitCodes } from '../lib/exit-codes.ts';
import { listenerOf } from '../lib/unix-socket.ts';
import { controlSocketFile } from '../paths.ts';
import { type Call, CommandError, type Flag } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';

/** Flags of every command that talks to a running relay. */
export const controlFlags: readonly Flag[] = [
  ...directoryFlags,
  { name: '--json', text: 'Print the answer as JSON' },
];

const EXIT_CODES: Readonly<Record<string, ExitCode>> = {
  usage: exitCodes.usage,
  refused: exitCodes.refused,
  unavailable: exitCodes.unavailable,
};

/**
 * Sends a request to the relay that runs on the configured data directory, and returns its result.
 *
 * @throws ConfigError
 * @throws CommandError with a sentence and an exit status if no relay runs there, if this user may
 *   not ask it, or if it refuses.
 */
export async function askRelay<Result>(
  call: Call,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
): Promise<Result> {
  const { directory } = configOfCall(call).storage;
  const line = await exchange(directory, JSON.stringify({ id: 1, method, params }));
  const answer = JSON.parse(line) as ControlAnswer;
  if ('result' in answer) return answer.result as Result;
  const { code, message } = answer.error;
  throw new CommandError(message, EXIT_CODES[code] ?? exitCodes.crash);
}

/**
 * Returns true if a relay listens on the control socket of a directory, or if this user may not
 * connect to the socket. Waits for no answer, so that it tells of a relay that is stuck as well.
 */
export async function relayListens(directory: string): Promise<boolean> {
  return (await listenerOf(controlSocketFile(directory))) !== 'none';
}

/** Sends one line to the control socket and resolves with the answer, one line too. */
function exchange(directory: string, request: string): Promise<string> {
  const path = controlSocketFile(directory);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path, () => socket.write(`${request}\n`));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!text.endsWith('\n')) return;
      socket.destroy();
      resolve(text);
    });
    socket.on('close', () =>
      reject(
        new CommandError(
          'the relay exited before it answered; see its log.',
          exitCodes.unavailable,
        ),
      ),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => reject(unreachable(error, directory)));
  });
}

function unreachable(error: NodeJS.ErrnoException, directory: string): CommandError {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new CommandError(
      `this user may not control the relay on ${directory}; run the command as the user of the relay.`,
      exitCodes.noPermission,
    );
  }
  return new CommandError(
    `${whatIsWrongWith(directory)}; start a relay with wok relay, or name the directory of one that runs with --data.`,
    exitCodes.unavailable,
  );
}

function whatIsWrongWith(directory: string): string {
  try {
    if (statSync(directory).isDirectory()) return `no relay runs on ${directory}`;
    return `${directory} is not a directory`;
  } catch {
    return `there is no directory ${directory}`;
  }
}
