// Histogram of the answer times of plugins and modules.

import { PLUGIN_SLOTS } from './label-values.ts';
import { type HistogramCells, histogramOf } from './layout.ts';
import type { MetricsMemory } from './memory.ts';
import type { Meter } from './meter.ts';
import { SlotNames } from './slot-names.ts';

/**
 * Returns a callback that records answer times of plugins and modules, by name, in a worker's
 * meter. A name has its slot before the worker learns of it, and keeps it.
 */
export function pluginTimer(
  meter: Meter,
  memory: MetricsMemory,
): (plugin: string, seconds: number) => void {
  const names = new SlotNames(memory.plugins, PLUGIN_SLOTS);
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
