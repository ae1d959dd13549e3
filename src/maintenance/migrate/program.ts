// Programs of other relays (`strfry`, `psql`) whose standard output is read.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { exitCodes } from '../../lib/exit-codes.ts';
import { SourceError } from './source.ts';

/** Program with the arguments that come first in every call. */
export interface Program {
  /** Name or path of a program; with spaces a command for the shell. */
  readonly command: string;
  readonly cwd: string;
  /** Variables that it gets in addition to those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Sentence about what to do if the program is not there. */
  readonly ifMissing: string;
}

const SHELL_NOT_FOUND = 127;
const ERROR_LINE = /\b(error|fatal|failed|unable)\b/i;
/** Length of standard error that is kept for messages. */
const ERROR_TEXT_MAX = 4_000;

/** Returns true if a program is a command for the shell. */
export function isShellCommand({ command }: Program): boolean {
  return /\s/.test(command.trim());
}

/**
 * Yields the standard output of a program, as it comes. The program is ended if the reader stops.
 *
 * @throws SourceError if it is not there, or ends with another status than 0.
 */
export async function* outputOf(program: Program, args: readonly string[]): AsyncGenerator<Buffer> {
  const child = started(program, args);
  const closed = once(child, 'close') as Promise<[code: number | null, signal: string | null]>;
  // Its error is thrown below, after what was read.
  closed.catch(() => {});
  let said = '';
  child.stderr?.on('data', (data: Buffer) => {
    said = `${said}${data}`.slice(-ERROR_TEXT_MAX);
  });
  let isEnded = false;
  try {
    for await (const part of child.stdout ?? []) yield part as Buffer;
    isEnded = true;
  } catch (error) {
    // The streams of a program that could not be started are closed, not ended.
    isEnded = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
    if (!isEnded) throw error;
  } finally {
    if (!isEnded) child.kill();
  }
  await checkEnd(program, closed, () => said);
}

/** Returns the whole standard output of a program, as `outputOf` reads it. */
export async function textFrom(program: Program, args: readonly string[]): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of outputOf(program, args)) parts.push(part);
  return Buffer.concat(parts).toString();
}

function started(program: Program, args: readonly string[]): ChildProcess {
  const { command, cwd, env = {} } = program;
  const options = {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
  };
  if (!isShellCommand(program)) return spawn(command, args, options);
  return spawn('sh', ['-c', `${command} "$@"`, 'sh', ...args], options);
}

async function checkEnd(
  { command, ifMissing }: Program,
  closed: Promise<[code: number | null, signal: string | null]>,
  said: () => string,
): Promise<void> {
  let code: number | null;
  let signal: string | null;
  try {
    [code, signal] = await closed;
  } catch (error) {
    const { code: reason, message } = error as NodeJS.ErrnoException;
    const why = reason === 'ENOENT' ? `there is no program ${command}` : message;
    throw new SourceError(`${why}; ${ifMissing}`, exitCodes.unavailable);
  }
  if (code === 0) return;
  if (code === SHELL_NOT_FOUND) {
    throw new SourceError(`there is no program ${command}; ${ifMissing}`, exitCodes.unavailable);
  }
  const lines = said().trim().split('\n');
  // Programs may log more after the reason.
  const last = (lines.findLast((line) => ERROR_LINE.test(line)) ?? lines.at(-1))?.trim();
  const how = code === null ? `was ended by ${signal}` : `ended with status ${code}`;
  const why = last === undefined || last === '' ? '' : `: ${last}`;
  throw new SourceError(`${command} ${how}${why}`, exitCodes.unavailable);
}
