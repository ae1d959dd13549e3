// RPC methods that read metrics, slow queries and top connections.

import { z } from 'zod';
import { renderMetrics } from '../../metrics/render.ts';
import { type Figures, readFigures } from '../../metrics/sample.ts';
import { slowQueries } from '../../metrics/slow-queries.ts';
import { type MetricName, metricNames } from '../../metrics/table.ts';
import { topConnections, watchTopConnections } from '../../metrics/top-connections.ts';
import { verb } from '../context.ts';

/** RPC method `metrics`: returns the current values of metrics by name. */
export const metricsVerb = verb({
  name: 'metrics',
  params: z.strictObject({ names: z.array(z.enum(metricNames as [MetricName])).max(200) }),
  run({ names }, { metrics, sampleMetrics }): Figures {
    sampleMetrics();
    return readFigures(metrics, names);
  },
});

/** RPC method `exposition`: returns all metrics in the Prometheus text format. */
export const expositionVerb = verb({
  name: 'exposition',
  params: z.strictObject({}),
  run(_, { metrics, sampleMetrics }): string {
    sampleMetrics();
    return renderMetrics(metrics);
  },
});

/** RPC method `slow`: returns the newest slow queries. */
export const slowVerb = verb({
  name: 'slow',
  params: z.strictObject({ limit: z.int().min(1).max(1_000).default(50) }),
  run: ({ limit }, { metrics }) => slowQueries(metrics).slice(0, limit),
});

/** RPC method `topConnections`: returns the top connections; io samples them while it is called. */
export const topConnectionsVerb = verb({
  name: 'connections',
  params: z.strictObject({}),
  run(_, { metrics }) {
    watchTopConnections(metrics);
    return topConnections(metrics);
  },
});
