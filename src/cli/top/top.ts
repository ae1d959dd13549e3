// `wok top`: samples the metrics of the running relay and shows the rates between two samples.

import { exitCodes } from '../../lib/exit-codes.ts';
import type { SlowQuery, TopConnection } from '../../metrics/ring-rows.ts';
import { type Figures, MetricsDelta, type MetricsSample } from '../../metrics/sample.ts';
import { type Call, type Command, print } from '../command.ts';
import { askRelay, controlFlags } from '../control.ts';
import { shownMetrics, topScreen } from './screen.ts';

const INTERVAL_SECONDS = 2;
/** Escape codes: cursor to the top left, clear the screen and its history. */
const CLEAR = '\x1b[H\x1b[2J\x1b[3J';

/** Command `wok top`: shows what the relay does right now. */
export const topCommand: Command = {
  name: 'top',
  summary: 'Watch rates, latencies, queues, and the busiest connections',
  flags: [
    ...controlFlags,
    { name: '--once', text: 'Print once and exit, as without a terminal' },
    { name: '--interval <seconds>', text: `Time between two samples (${INTERVAL_SECONDS})` },
  ],
  examples: ['wok top', 'wok top --once --interval 10 > report.txt'],
  async run(call) {
    const seconds = call.flags.integer('interval', 1, 3600) ?? INTERVAL_SECONDS;
    const once = call.flags.has('once') || call.flags.has('json') || !process.stdout.isTTY;
    let stopped = false;
    let wake = () => {};
    const onSignal = () => {
      stopped = true;
      wake();
    };
    process.once('SIGINT', onSignal);
    process.once('SIGTERM', onSignal);
    let before = await look(call);
    do {
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, seconds * 1000);
      });
      if (stopped) break;
      const now = await look(call);
      if (call.flags.has('json')) print(JSON.stringify({ before, now }));
      else {
        const screen = topScreen(new MetricsDelta(before, now), now.topConnections, now.slow);
        print(once ? screen : CLEAR + screen);
      }
      before = now;
    } while (!once && !stopped);
    return exitCodes.ok;
  },
};

interface FullLook extends MetricsSample {
  topConnections: TopConnection[];
  slow: SlowQuery[];
}

async function look(call: Call): Promise<FullLook> {
  const figures = await askRelay<Figures>(call, 'metrics', { names: shownMetrics });
  return {
    at: Date.now(),
    figures,
    topConnections: await askRelay<TopConnection[]>(call, 'connections'),
    slow: await askRelay<SlowQuery[]>(call, 'slow', { limit: 5 }),
  };
}
