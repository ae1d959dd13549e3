// `wok import`: stores the events of a file or of standard input in the database.

import { accessSync, constants, createReadStream, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { exitCodes, INTERRUPTED } from '../lib/exit-codes.ts';
import { formatCount, formatSeconds } from '../lib/format.ts';
import { Progress } from '../lib/progress.ts';
import type { ImportOptions } from '../maintenance/import/import.ts';
import type { Tally } from '../maintenance/import/tally.ts';
import { type Call, type Command, CommandError, print, UsageError } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { storageFailure } from './failure.ts';
import { interruptible } from './interrupt.ts';

const READ_BYTES = 256 * 1024;
const COMMIT_EVENTS = 10_000;

/** Command `wok import`: stores events, one JSON object a line. */
export const importCommand: Command = {
  name: 'import',
  args: '[file]',
  summary: 'Store the events of a file (or standard input), one JSON object per line',
  flags: [
    ...directoryFlags,
    { name: '--no-verify', text: 'Do not verify signatures; ids are still checked' },
    { name: '--no-limits', text: 'Accept events of any size, ignoring the configured limits' },
    { name: '--show-rejected', text: 'Print every rejected line on standard error' },
    {
      name: '--write-batch <events>',
      text: `Events per commit (default ${COMMIT_EVENTS})`,
    },
  ],
  examples: ['wok import events.jsonl', 'strfry export | wok import --data /var/lib/wok'],
  async run(call) {
    const config = configOfCall(call);
    const commitEvents = call.flags.integer('write-batch', 1, 1_000_000) ?? COMMIT_EVENTS;
    const name = call.args[0] ?? '-';
    const source = openSource(call, name);
    const progress = new Progress();
    const began = performance.now();
    const rate = (events: number) => (events / (performance.now() - began)) * 1000;
    const label = `importing ${name === '-' ? 'standard input' : name}`;
    const options: Omit<ImportOptions, 'signal'> = {
      verify: !call.flags.has('no-verify'),
      limits: !call.flags.has('no-limits'),
      commitEvents,
      totalBytes: source.bytes,
      progress: ({ bytes, events }) =>
        progress.update(
          label,
          bytes,
          source.bytes ?? 0,
          () => `${formatCount(rate(events))} events/s`,
        ),
      onRefused: ({ line, id, why }) => {
        if (call.flags.has('show-rejected')) progress.say(`line ${line}: ${why} ${id}`);
      },
    };
    const { importEvents } = await import('../maintenance/import/import.ts');
    return interruptible(async (signal) => {
      let tally: Tally;
      try {
        tally = await importEvents(config, source.stream, { ...options, signal });
      } catch (error) {
        progress.clear();
        return storageFailure(error, config.storage);
      }
      progress.clear();
      const seconds = (performance.now() - began) / 1000;
      const speed = `${formatCount(tally.lines / seconds)} events/s`;
      print(`${tally.summary()}\n${formatSeconds(seconds)}, ${speed}`);
      if (signal.aborted) {
        print(
          'Interrupted: the events counted here are stored. Run the same command again to continue.',
        );
        return INTERRUPTED;
      }
      const nothing = tally.refused > 0 && tally.added + tally.duplicates === 0;
      return nothing ? exitCodes.refused : exitCodes.ok;
    });
  },
};

interface Source {
  stream: Readable;
  bytes: number | undefined;
}

function openSource(call: Call, name: string): Source {
  if (name === '-') {
    if (process.stdin.isTTY === true) {
      throw new UsageError(
        'Name a file (wok import <file>), or pipe the events to standard input.',
      );
    }
    return { stream: process.stdin, bytes: undefined };
  }
  const file = resolve(call.cwd, name);
  let found: Stats;
  try {
    found = statSync(file);
    accessSync(file, constants.R_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES') throw new UsageError(`There is no file ${file}.`);
    throw new CommandError(`this user may not read ${file}.`, exitCodes.noPermission);
  }
  if (found.isDirectory()) throw new UsageError(`${file} is a directory.`);
  const stream = createReadStream(file, { highWaterMark: READ_BYTES });
  return { stream, bytes: found.isFile() ? found.size : undefined };
}
