// RPC method of the dashboard.

import { z } from 'zod';
import { rpcMethod } from '../../rpc/method.ts';
import type { Dashboard, History } from '../../web/api/dashboard.ts';
import type { AdminReads } from '../context.ts';
import { HISTORY_SAMPLES, SAMPLE_SECONDS, seriesNames } from '../metrics/history.ts';

/** RPC method `dashboard`: returns the current state, and its history later than `since`. */
export const dashboardMethod = rpcMethod({
  params: z.strictObject({ since: z.number().nonnegative().default(0) }),
  async run({ since }, context: AdminReads): Promise<Dashboard> {
    return { ...(await context.dashboards.figures()), history: historySince(context, since) };
  },
});

function historySince({ history }: AdminReads, since: number): History {
  const { at, series } = history.read(seriesNames, history.countSince(since));
  return {
    stepSeconds: SAMPLE_SECONDS,
    keptSeconds: SAMPLE_SECONDS * HISTORY_SAMPLES,
    at: at.map((seconds) => Math.round(seconds * 1000)),
    series: series as History['series'],
  };
}
