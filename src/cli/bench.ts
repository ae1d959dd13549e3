// `wok bench`: entry of the benchmarks in bench/, which are loaded only when they are called.

import { benchActions, benchFlags } from '../../bench/flags.ts';
import type { Command } from './command.ts';

/** Command `wok bench`: measures and checks this relay or any other one. */
export const benchCommand: Command = {
  name: 'bench',
  actions: benchActions,
  summary: 'Load, probe or compare relays (see bench/README.md)',
  flags: benchFlags,
  examples: [
    'wok bench run ingest,req --start',
    'wok bench run fan-out --url ws://127.0.0.1:7777 --pid 4711 --html report.html',
    'wok bench probe wss://relay.example --i-may-load-this-host',
    'wok bench compare ws://127.0.0.1:7777 ws://127.0.0.1:7778 --scenario req',
    'wok bench compare main HEAD --scenario ingest/fresh --rounds 7',
    'wok bench generate --events 1000000 --seed 2 --out events.jsonl',
  ],
  async run(call) {
    const { runBench } = await import('../../bench/main.ts');
    return runBench(call);
  },
};
