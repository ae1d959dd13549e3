// Entry of the worker thread that runs the plugin host.

import { systemClock } from '../src/lib/clock.ts';
import { PLUGIN_FAILURES } from '../src/metrics/label-values.ts';
import { byLabel, cellOf } from '../src/metrics/layout.ts';
import { pluginTimer } from '../src/metrics/plugin-timer.ts';
import { PluginHost } from '../src/policy/plugins/host.ts';
import { serveWorker, type WorkerTask } from '../src/supervisor/worker.ts';

const FAILURES = byLabel(PLUGIN_FAILURES, (why) => cellOf('wok_plugin_failures_total', { why }));
const OPEN = cellOf('wok_plugin_circuit_open');

/** Runs the plugin host, as a piscina task. */
export function run(task: WorkerTask): Promise<void> {
  return serveWorker(task, (log, meter) => {
    const count = {
      failed: (why: keyof typeof FAILURES) => meter.add(FAILURES[why], 1),
      circuitsOpen: (plugins: number) => meter.set(OPEN, plugins),
      answered: pluginTimer(meter, task.metrics),
    };
    return {
      role: new PluginHost(task.config, log, systemClock, count, task.processes),
      facts: {},
    };
  });
}
