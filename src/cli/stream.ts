// `wok stream`: exchanges live events with another relay until it is interrupted.

import { type Call, type Command, UsageError } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { filterFlags, filtersOfCall } from './filter-flags.ts';
import { connectionOptions, peerFlags, peerUrl } from './peer-flags.ts';
import { runPeers } from './run-peers.ts';

const DIRECTIONS = ['down', 'up', 'both'] as const;
const DAY_SECONDS = 86_400;

/** Flags of the repair of gaps, for `wok stream` and `wok router`. */
export const repairFlags = [
  {
    name: '--no-repair',
    text: 'Pass live events on only; do not compare what was missed (NIP-77)',
  },
  {
    name: '--repair-every <seconds>',
    text: 'Compare all events at this interval, too (default: a day; 0: never)',
  },
] as const;

/** Command `wok stream`: exchanges live events with another relay. */
export const streamCommand: Command = {
  name: 'stream',
  args: '<url>',
  summary: 'Exchange live events with another relay, and repair gaps, until interrupted',
  flags: [
    ...directoryFlags,
    { name: '--dir <direction>', text: 'down (default, fetch), up (send), or both' },
    ...filterFlags,
    ...repairFlags,
    ...peerFlags,
  ],
  examples: [
    'wok stream wss://relay.example.com',
    'wok stream wss://relay.example.com --dir both --kinds 0,3,10002',
  ],
  run(call) {
    const config = configOfCall(call);
    const url = peerUrl(call.args[0] ?? '');
    const direction = directionOf(call);
    const filters = filtersOfCall(call);
    return runPeers(config, async (signal) => {
      const connection = await connectionOptions(call, signal);
      return [
        {
          name: url,
          url,
          direction,
          filters,
          connection: async () => connection,
          ...repairOf(call),
        },
      ];
    });
  },
};

/** Returns when gaps are repaired. @throws UsageError */
export function repairOf({ flags }: Call): { repair: 'gap' | 'off'; repairSeconds: number } {
  const repairSeconds = flags.integer('repair-every', 0, 366 * DAY_SECONDS) ?? DAY_SECONDS;
  if (!flags.has('no-repair')) return { repair: 'gap', repairSeconds };
  if (flags.has('repair-every'))
    throw new UsageError('--no-repair and --repair-every exclude each other.');
  return { repair: 'off', repairSeconds: 0 };
}

function directionOf({ flags }: Call): (typeof DIRECTIONS)[number] {
  const text = flags.last('dir') ?? 'down';
  const direction = DIRECTIONS.find((one) => one === text);
  if (direction !== undefined) return direction;
  throw new UsageError(`--dir must be ${DIRECTIONS.join(', ')}, not "${text}".`);
}
