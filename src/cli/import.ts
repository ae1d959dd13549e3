// `wok import`: stores the events of files or of standard input in the database.

import { accessSync, constants, createReadStream, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import type { Config } from '../config/options.ts';
import { exitCodes, INTERRUPTED } from '../lib/exit-codes.ts';
import { formatCount, formatSeconds } from '../lib/format.ts';
import { Progress } from '../lib/progress.ts';
import type { ImportInput, ImportOptions } from '../maintenance/import/import.ts';
import type { Place, ProgressFile } from '../maintenance/import/progress-file.ts';
import type { Tally } from '../maintenance/import/tally.ts';
import type { LocalRelay } from '../peers/local-relay.ts';
import { type Call, type Command, CommandError, print, UsageError } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { storageFailure } from './failure.ts';
import { interruptible } from './interrupt.ts';

const READ_BYTES = 256 * 1024;
const COMMIT_EVENTS = 10_000;
const STANDARD_INPUT = '-';

/** Command `wok import`: stores events, one JSON object a line. */
export const importCommand: Command = {
  name: 'import',
  args: '[file]...',
  summary:
    'Store the events of files (or standard input), one JSON object per line; gzip and zstd are recognised',
  flags: [
    ...directoryFlags,
    {
      name: '--no-verify',
      text: 'Do not verify signatures; ids are still checked (not beside a running relay)',
    },
    {
      name: '--no-limits',
      text: 'Accept events of any size, ignoring the configured limits (not beside a running relay)',
    },
    {
      name: '--rate <events>',
      text: 'Events a second at most, beside a running relay (default: as fast as it takes them)',
    },
    { name: '--show-rejected', text: 'Print every rejected line on standard error' },
    {
      name: '--write-batch <events>',
      text: `Events per commit (default ${COMMIT_EVENTS})`,
    },
    {
      name: '--progress <file>',
      text: 'Keep in this file how far the import is, and continue from there; removed at the end',
    },
  ],
  examples: [
    'wok import events.jsonl',
    'wok import january.jsonl.gz february.jsonl.zst --progress import.json',
    'strfry export | wok import --data /var/lib/wok',
  ],
  async run(call) {
    const config = configOfCall(call);
    const commitEvents = call.flags.integer('write-batch', 1, 1_000_000) ?? COMMIT_EVENTS;
    const [{ runningRelay }, { importEvents }, { placeOf }, { textOf }] = await Promise.all([
      import('../peers/local-relay.ts'),
      import('../maintenance/import/import.ts'),
      import('../maintenance/import/tally.ts'),
      import('../maintenance/import/text.ts'),
    ]);
    const progressFile = await progressFileOf(call);
    const sources = (call.args.length === 0 ? [STANDARD_INPUT] : call.args).map((name) =>
      sourceOf(call, name, progressFile),
    );
    const totalBytes = sumOf(sources);
    const progress = new Progress();
    const began = performance.now();
    const rate = (events: number) => (events / (performance.now() - began)) * 1000;
    const options: Omit<ImportOptions, 'signal'> = {
      verify: !call.flags.has('no-verify'),
      limits: !call.flags.has('no-limits'),
      commitEvents,
      totalBytes,
      progress: (events) => {
        const read = sources.reduce((sum, { read: bytes }) => sum + bytes, 0);
        const note = () => `${formatCount(rate(events))} events/s`;
        progress.update(labelOf(sources), read, totalBytes ?? 0, note);
      },
      onRefused: ({ input, line, id, why }) => {
        if (call.flags.has('show-rejected')) progress.say(`${placeOf(input, line)}: ${why} ${id}`);
      },
      ...(progressFile !== undefined && { progressFile }),
    };
    return interruptible(async (signal) => {
      let tally: Tally;
      try {
        const inputs = sources
          .filter(({ begin }) => begin?.done !== true)
          .map((source) => {
            const text = textOf(bytesOf(source, signal), source.begin?.bytes);
            return inputOf(source, sources.length > 1, text);
          });
        const relay = await runningRelay(config);
        tally =
          relay === null
            ? await importEvents(config, inputs, { ...options, signal })
            : await throughRelay(call, config, relay, inputs, { ...options, signal });
      } catch (error) {
        progress.clear();
        if ((error as Error).name === 'PeerError') {
          throw new CommandError(
            `the relay ended the import: ${(error as Error).message}. Run the same command again to continue.`,
            exitCodes.unavailable,
          );
        }
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
      for (const sentence of tally.damaged) process.stderr.write(`wok: ${sentence}\n`);
      if (tally.damaged.length > 0) return exitCodes.refused;
      progressFile?.remove();
      const nothing = tally.refused > 0 && tally.added + tally.duplicates === 0;
      return nothing ? exitCodes.refused : exitCodes.ok;
    });
  },
};

/** Imports through the running relay. @throws UsageError for flags that it does not take. */
async function throughRelay(
  { flags }: Call,
  config: Config,
  relay: LocalRelay,
  inputs: readonly ImportInput[],
  options: ImportOptions,
): Promise<Tally> {
  for (const flag of ['no-verify', 'no-limits']) {
    if (flags.has(flag)) {
      throw new UsageError(
        `--${flag} does not work beside the running relay; leave it out, or stop the relay first.`,
      );
    }
  }
  const { importThroughRelay } = await import('../maintenance/import/relay-import.ts');
  return importThroughRelay(relay, inputs, {
    ...options,
    rate: flags.integer('rate', 1, 1_000_000) ?? null,
    messageBytesMax: config.limits.message_bytes_max,
  });
}

/** File or standard input that is imported. */
interface Source {
  readonly name: string;
  /** Absolute path, or `-`. */
  readonly key: string;
  readonly begin: Place | undefined;
  /** Size in bytes; undefined if it is no regular file. */
  readonly bytes: number | undefined;
  /** Number of its bytes that were read, compressed as they are. */
  read: number;
}

/** @throws UsageError, CommandError if there is no such file, or this user may not read it. */
function sourceOf(call: Call, name: string, progressFile: ProgressFile | undefined): Source {
  if (name === STANDARD_INPUT) {
    if (process.stdin.isTTY === true) {
      throw new UsageError(
        'Name a file (wok import <file>), or pipe the events to standard input.',
      );
    }
    return { name, key: name, begin: progressFile?.placeOf(name), bytes: undefined, read: 0 };
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
  const bytes = found.isFile() ? found.size : undefined;
  return { name, key: file, begin: progressFile?.placeOf(file), bytes, read: 0 };
}

function inputOf(
  { name, key, begin }: Source,
  isOneOfMany: boolean,
  text: AsyncIterable<Buffer>,
): ImportInput {
  const input = {
    key,
    name: isOneOfMany ? name : '',
    text: Readable.from(text, { highWaterMark: 1 }),
  };
  return begin === undefined ? input : { ...input, begin };
}

/** Yields the bytes of a source as they are; opens it when the import comes to it. */
async function* bytesOf(source: Source, signal: AbortSignal): AsyncGenerator<Buffer> {
  const { key } = source;
  const stream =
    key === STANDARD_INPUT ? process.stdin : createReadStream(key, { highWaterMark: READ_BYTES });
  addAbortSignal(signal, stream);
  for await (const part of stream as AsyncIterable<Buffer>) {
    source.read += part.length;
    yield part;
  }
}

async function progressFileOf(call: Call): Promise<ProgressFile | undefined> {
  const name = call.flags.last('progress');
  if (name === undefined) return undefined;
  const { ProgressFile, ProgressFileError } = await import(
    '../maintenance/import/progress-file.ts'
  );
  try {
    return new ProgressFile(resolve(call.cwd, name));
  } catch (error) {
    if (error instanceof ProgressFileError) throw new UsageError(error.message);
    throw error;
  }
}

/** Returns the size of all sources; undefined if that of one is unknown. */
function sumOf(sources: readonly Source[]): number | undefined {
  let sum = 0;
  for (const { bytes } of sources) {
    if (bytes === undefined) return undefined;
    sum += bytes;
  }
  return sum;
}

function labelOf(sources: readonly Source[]): string {
  const [first] = sources;
  if (sources.length > 1) return `importing ${sources.length} files`;
  return `importing ${first?.name === STANDARD_INPUT ? 'standard input' : first?.name}`;
}
