// `wok export` and `wok scan`: write stored events to standard output as lines of JSON.

import { setImmediate } from 'node:timers/promises';
import { exitCodes, INTERRUPTED } from '../lib/exit-codes.ts';
import { formatCount } from '../lib/format.ts';
import { Progress } from '../lib/progress.ts';
import type { Compression } from '../maintenance/compressed-output.ts';
import type { Selection } from '../store/read/select.ts';
import { type Call, type Command, CommandError, print, UsageError } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { needDatabase, storageFailure } from './failure.ts';
import { filterFlags, filtersOfCall, filtersOfText } from './filter-flags.ts';
import { interruptible } from './interrupt.ts';

/** Command `wok export`: writes the stored events, oldest first. */
export const exportCommand: Command = {
  name: 'export',
  summary: 'Write stored events to standard output, one per line, oldest first',
  flags: [
    ...directoryFlags,
    ...filterFlags,
    { name: '--reverse', text: 'Newest first' },
    { name: '--compress <format>', text: 'Compress the output: gzip or zstd' },
  ],
  examples: [
    'wok export > events.jsonl',
    'wok export --compress zstd > events.jsonl.zst',
    'wok export --kinds 0,3,10002 --since 2026-01-01',
  ],
  run(call) {
    const filters = filtersOfCall(call);
    const direction = call.flags.has('reverse') ? 'downwards' : 'upwards';
    return write(call, { filters, direction }, false, compressionOf(call));
  },
};

/** Command `wok scan`: writes the events that a filter finds, newest first, or their number. */
export const scanCommand: Command = {
  name: 'scan',
  args: '<filter>',
  summary: 'Write the events that match a filter (or a list of filters), newest first',
  flags: [...directoryFlags, { name: '--count', text: 'Print only the number of matching events' }],
  examples: [`wok scan '{"kinds":[1],"limit":10}'`, `wok scan --count '{"#t":["nostr"]}'`],
  run(call) {
    const [text] = call.args;
    const selection = { filters: filtersOfText(text!), direction: 'downwards' } as const;
    return write(call, selection, call.flags.has('count'));
  },
};

/**
 * Writes the selected events, or their number. Works while the relay runs: it only reads, and never
 * holds a long snapshot.
 */
async function write(
  call: Call,
  wanted: Pick<Selection, 'filters' | 'direction'>,
  countOnly: boolean,
  compression: Compression | null = null,
): Promise<number> {
  const { storage } = configOfCall(call);
  needDatabase(storage);
  const [{ openReader, termKey }, { TermHasher }, { select }, { LineOutput }, { compressTo }] =
    await Promise.all([
      import('../store/database/open.ts'),
      import('../store/index/terms.ts'),
      import('../store/read/select.ts'),
      import('../maintenance/event-lines.ts'),
      import('../maintenance/compressed-output.ts'),
    ]);
  return interruptible(async (signal) => {
    const progress = new Progress();
    // No progress on a terminal that shows the events themselves.
    const shown = process.stdout.isTTY !== true || countOnly;
    const compressed = compression === null ? null : compressTo(process.stdout, compression);
    const output = new LineOutput(compressed?.stream ?? process.stdout);
    let count = 0;
    try {
      const db = openReader(storage);
      const selection = {
        ...wanted,
        db,
        hasher: new TermHasher(termKey(db)),
        nowSeconds: Math.floor(Date.now() / 1000),
      };
      for (const { json } of select(selection)) {
        if (signal.aborted || output.closed) break;
        count++;
        if (!countOnly) await output.line(json);
        if (shown && count % 1000 === 0) {
          progress.update('reading', count, 0, () => `${formatCount(count)} events`);
        }
        // Signals are handled between two turns of the event loop.
        if (count % 1000 === 0) await setImmediate();
      }
      db.close();
    } catch (error) {
      progress.clear();
      return storageFailure(error, storage);
    }
    progress.clear();
    await output.flush();
    try {
      await compressed?.end();
    } catch (error) {
      throw new CommandError(`${(error as Error).message}.`, exitCodes.unavailable);
    }
    if (countOnly) print(String(count));
    return signal.aborted ? INTERRUPTED : exitCodes.ok;
  });
}

/** Returns the format of the output; null: it is plain. @throws UsageError */
function compressionOf({ flags }: Call): Compression | null {
  const format = flags.last('compress');
  if (format === undefined || format === 'gzip' || format === 'zstd') return format ?? null;
  throw new UsageError(`--compress must be gzip or zstd, not "${format}".`);
}
