// RPC methods that read metrics, slow queries, refused reads and top connections.

import { z } from 'zod';
import { type RefusedRead, refusedReads } from '../../metrics/refused-reads.ts';
import { renderMetrics } from '../../metrics/render.ts';
import { type Figures, readFigures } from '../../metrics/sample.ts';
import { slowQueries } from '../../metrics/slow-queries.ts';
import { type MetricName, metricNames } from '../../metrics/table.ts';
import { topConnections, watchTopConnections } from '../../metrics/top-connections.ts';
import { rpcMethod } from '../../rpc/method.ts';
import type { AdminReads } from '../context.ts';

/** RPC method `metrics`: returns the current values of metrics by name. */
export const metricsMethod = rpcMethod({
  params: z.strictObject({ names: z.array(z.enum(metricNames as [MetricName])).max(200) }),
  run({ names }, { metrics, sampleMetrics }: AdminReads): Figures {
    sampleMetrics();
    return readFigures(metrics, names);
  },
});

/** RPC method `exposition`: returns all metrics in the Prometheus text format. */
export const expositionMethod = rpcMethod({
  params: z.strictObject({}),
  run(_, { metrics, sampleMetrics }: AdminReads): string {
    sampleMetrics();
    return renderMetrics(metrics);
  },
});

/** RPC method `slow`: returns the newest slow queries. */
export const slowMethod = rpcMethod({
  params: z.strictObject({ limit: z.int().min(1).max(1_000).default(50) }),
  run: ({ limit }, { metrics }: AdminReads) => slowQueries(metrics).slice(0, limit),
});

/** RPC method `why.reads`: returns the newest REQs and COUNTs that were refused or cut short. */
export const whyReadsMethod = rpcMethod({
  params: z.strictObject({
    connection: z.int().min(1).optional(),
    limit: z.int().min(1).max(1_000).default(50),
  }),
  run({ connection, limit }, { metrics }: AdminReads): RefusedRead[] {
    const all = refusedReads(metrics);
    const wanted = all.filter((one) => connection === undefined || one.connection === connection);
    return wanted.slice(0, limit);
  },
});

/** RPC method `connections`: returns the top connections; io samples them while it is called. */
export const topConnectionsMethod = rpcMethod({
  params: z.strictObject({}),
  run(_, { metrics }: AdminReads) {
    watchTopConnections(metrics);
    return topConnections(metrics);
  },
});
