// RPC method of the dashboard.

import { z } from 'zod';
import type { Dashboard, History } from '../../web/api/dashboard.ts';
import { type Room, verb } from '../context.ts';
import { HISTORY_SAMPLES, SAMPLE_SECONDS, seriesNames } from '../metrics/history.ts';

/** RPC method `dashboard`: returns the current state, and its history later than `since`. */
export const dashboardVerb = verb({
  name: 'dashboard',
  params: z.strictObject({ since: z.number().nonnegative().default(0) }),
  async run({ since }, room): Promise<Dashboard> {
    return { ...(await room.dashboards.figures()), history: historyBehind(room, since) };
  },
});

function historyBehind({ history }: Room, since: number): History {
  const { at, series } = history.read(seriesNames, history.lengthBehind(since));
  return {
    stepSeconds: SAMPLE_SECONDS,
    keptSeconds: SAMPLE_SECONDS * HISTORY_SAMPLES,
    at: at.map((seconds) => Math.round(seconds * 1000)),
    series: series as History['series'],
  };
}
