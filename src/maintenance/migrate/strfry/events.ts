// Events of strfry, read with its own command `strfry export`.

import { exitCodes } from '../../../lib/exit-codes.ts';
import { LineCounter, statusOf } from '../files.ts';
import { isShellCommand, outputOf, type Program, textFrom } from '../program.ts';
import { type EventSource, SourceError } from '../source.ts';
import type { StrfryReading } from './config.ts';

/**
 * Time before the first pass from which on the second one reads. strfry exports by `created_at`,
 * and clients send events that are somewhat older.
 */
const OVERLAP_SECONDS = 3_600;

/**
 * Returns the events of a strfry, which may run meanwhile.
 *
 * @param command the program strfry; undefined: the one in PATH. With spaces it is a command for
 *   the shell that finds strfry.conf itself.
 * @throws SourceError if its database is not where strfry.conf says.
 */
export function strfryEvents(reading: StrfryReading, command: string | undefined): EventSource {
  const program: Program = {
    command: command ?? 'strfry',
    cwd: reading.directory,
    ifMissing:
      'name it with --strfry PROGRAM, or export on the machine of strfry (strfry export > events.jsonl) and name the file with --events events.jsonl.',
  };
  if (!isShellCommand(program)) needDatabase(reading);
  const config = isShellCommand(program) ? [] : ['--config', reading.file];
  const exported = (since: number | undefined) =>
    outputOf(program, [
      ...config,
      'export',
      ...(since === undefined ? [] : [`--since=${Math.max(since, 0)}`]),
    ]);
  let begun = 0;
  return {
    name: 'strfry export',
    async count(signal, onCount) {
      const text = await textFrom(program, [...config, 'scan', '--count', '{}']).catch((error) => {
        if (error instanceof SourceError && /^there is no program/.test(error.message)) throw error;
        return '';
      });
      if (/^\d+\s*$/.test(text)) return { events: Number(text), hidden: 0 };
      // A strfry that does not know `scan --count`.
      const counter = new LineCounter();
      for await (const part of exported(undefined)) {
        counter.add(part);
        onCount(counter.lines);
        if (signal.aborted) break;
      }
      return { events: counter.end(), hidden: 0 };
    },
    all(_, since) {
      begun = Math.floor(Date.now() / 1000);
      return [{ name: '', bytes: exported(since) }];
    },
    later: () => [{ name: '', bytes: exported(begun - OVERLAP_SECONDS) }],
  };
}

function needDatabase({ database, directory, file }: StrfryReading): void {
  if (statusOf(database) !== undefined) return;
  throw new SourceError(
    `there is no database of strfry in ${database} (db in ${file}, from ${directory}). Name the directory in which strfry is started with --run-in, or a file of its events with --events.`,
    exitCodes.refused,
  );
}
