import { type HistogramCells, histogramOf } from './layout.ts';
import type { Meter, MetricsMemory } from './meter.ts';
import { PluginNames } from './plugin-names.ts';

/**
 * Counts in a lane how long plugins and modules, by their names, had for an answer. A name has its place
 * before the lane hears of it, and keeps it.
 */
export function pluginTimer(
  meter: Meter,
  memory: MetricsMemory,
): (plugin: string, seconds: number) => void {
  const names = new PluginNames(memory.plugins);
  const found = new Map<string, HistogramCells>();
  return (plugin, seconds) => {
    let cells = found.get(plugin);
    if (cells === undefined) {
      cells = histogramOf('wok_plugin_answer_seconds', { plugin: names.placeOf(plugin) });
      found.set(plugin, cells);
    }
    meter.observe(cells, seconds);
  };
}
