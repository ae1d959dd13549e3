// `wok sync`: makes this relay and another one equal, by negentropy (NIP-77).

import { systemClock } from '../lib/clock.ts';
import { exitCodes, INTERRUPTED } from '../lib/exit-codes.ts';
import { formatBytes, formatCount, formatSeconds } from '../lib/format.ts';
import { Progress } from '../lib/progress.ts';
import { FRAME_BYTES } from '../peers/frame-bytes.ts';
import type { SyncDirection, SyncReport } from '../peers/synchronize.ts';
import type { Filter } from '../protocol/filter.ts';
import { type Call, type Command, print, UsageError } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { storageFailure } from './failure.ts';
import { filterFlags, filtersOfCall } from './filter-flags.ts';
import { interruptible } from './interrupt.ts';
import { connectionOptions, connectToPeer, peerFailure, peerFlags, peerUrl } from './peer-flags.ts';
import { rangeOf } from './time-range.ts';

const DIRECTIONS: readonly string[] = ['both', 'down', 'up', 'none'] satisfies SyncDirection[];

/** Command `wok sync`: transfers the events in which two relays differ. */
export const syncCommand: Command = {
  name: 'sync',
  args: '<url>',
  summary: 'Exchange the events in which this relay and another one differ (NIP-77)',
  flags: [
    ...directoryFlags,
    {
      name: '--dir <direction>',
      text: 'both (default), down (fetch), up (send), or none (compare only)',
    },
    ...filterFlags,
    {
      name: '--range <from-to>',
      text: 'Events of these ages, like 2M-, 1Y-6M or -1d (s m h d w M Y; from is the older end)',
      excludes: ['since', 'until'],
    },
    { name: '--print-missing', text: 'Print the ids of the differences on standard output' },
    {
      name: '--frame-size-limit <bytes>',
      text: `Size of a negentropy message (default ${FRAME_BYTES}; 0: no limit)`,
    },
    ...peerFlags,
  ],
  examples: [
    'wok sync wss://relay.example.com',
    `wok sync wss://relay.example.com --dir down --filter '{"kinds":[0,3,10002]}'`,
    'wok sync ws://127.0.0.1:7777 --dir none --print-missing',
  ],
  async run(call) {
    const config = configOfCall(call);
    const url = peerUrl(call.args[0] ?? '');
    const direction = directionOf(call);
    const filter = filterOfCall(call);
    const frameBytes = frameBytesOf(call);
    return interruptible(async (signal) => {
      const options = await connectionOptions(call, signal);
      const [{ synchronize }, { withLocalRelay }, { openLocalEvents }] = await Promise.all([
        import('../peers/synchronize.ts'),
        import('./local-relay.ts'),
        import('../peers/local-set.ts'),
      ]);
      const progress = new Progress();
      const began = performance.now();
      let report: SyncReport;
      try {
        report = await withLocalRelay(config, async (relay) => {
          const remote = await connectToPeer(url, options);
          remote.onNotice = (text) => progress.say(`${url} says: ${text}`);
          const events = openLocalEvents(config);
          const local = await relay.connect('sync', url);
          try {
            return await synchronize(
              { local, remote, events, filter },
              { direction, frameBytes, signal, progress: (...state) => progress.update(...state) },
            );
          } finally {
            local.close();
            remote.close();
            events.db.close();
          }
        });
      } catch (error) {
        progress.clear();
        if (signal.aborted) {
          print('Interrupted: what was transferred is stored. Run the same command to continue.');
          return INTERRUPTED;
        }
        return storageFailure(peerFailure(error, url), config.storage);
      }
      progress.clear();
      if (call.flags.has('print-missing')) printMissing(report);
      for (const line of linesOf(report)) process.stderr.write(`${line}\n`);
      process.stderr.write(`${formatSeconds((performance.now() - began) / 1000)}\n`);
      return exitCodes.ok;
    });
  },
};

function directionOf({ flags }: Call): SyncDirection {
  const direction = flags.last('dir') ?? 'both';
  if (DIRECTIONS.includes(direction)) return direction as SyncDirection;
  throw new UsageError(`--dir must be ${DIRECTIONS.join(', ')}, not "${direction}".`);
}

function frameBytesOf({ flags }: Call): number {
  const bytes = flags.integer('frame-size-limit', 0, 4_000_000) ?? FRAME_BYTES;
  if (bytes === 0 || bytes >= 4096) return bytes;
  throw new UsageError('--frame-size-limit must be 0 or at least 4096.');
}

/** Returns the one filter of a call. @throws UsageError */
function filterOfCall(call: Call): Filter {
  const [filter, ...more] = filtersOfCall(call);
  if (filter === undefined || more.length > 0)
    throw new UsageError('Name one filter: a negentropy session compares the events of one.');
  const range = call.flags.last('range');
  if (range === undefined) return filter;
  if (filter.since !== null || filter.until !== null)
    throw new UsageError('--range and a filter with since or until exclude each other.');
  return { ...filter, ...rangeOf(range, systemClock.seconds()) };
}

function printMissing({ have, need }: SyncReport): void {
  for (const id of need.hex(0, need.size)) print(`NEED ${id}`);
  for (const id of have.hex(0, have.size)) print(`HAVE ${id}`);
}

function linesOf({ own, have, need, down, up, negentropyBytes }: SyncReport): string[] {
  const lines = [
    `${formatCount(own)} events here match; ${formatCount(need.size)} are missing here, ${formatCount(have.size)} there (${formatBytes(negentropyBytes)} to compare)`,
  ];
  if (down !== null) lines.push(...titled('down', down.lines()));
  if (up !== null) lines.push(...titled('up', up.lines()));
  return lines;
}

function titled(title: string, [first = '', ...rest]: readonly string[]): string[] {
  return [`${title}: ${first}`, ...rest];
}
