// Reads the metrics memory and renders it in the Prometheus text format.

import { element, present } from '../lib/assert.ts';
import { OTHER, PEER_SLOTS, PLUGIN_SLOTS } from './label-values.ts';
import { placeOf } from './layout.ts';
import type { MetricsMemory } from './memory.ts';
import { workerCells } from './meter.ts';
import { SlotNames } from './slot-names.ts';
import { type MetricName, metricNames, metricOf } from './table.ts';
import type { Metric } from './types.ts';

/** Content-Type of the text made by `renderMetrics`. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Values of one series: one number, or the buckets, the overflow bucket, and the sum. */
interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: Float64Array;
}

/** Returns the current series of a metric: summed over the worker threads, or one for each. */
export function readSeries(memory: MetricsMemory, name: MetricName): Series[] {
  const { by, per } = metricOf(name);
  const { start, width, series } = placeOf(name);
  const workers = memory.workers
    .map((worker, index) => ({ ...worker, cells: workerCells(memory, index) }))
    .filter(({ station }) => by.includes(station));
  if (per === 'worker') {
    return workers.flatMap(({ station, worker, cells }) =>
      series.map((labels, i) => ({
        labels: { station, worker: String(worker), ...labels },
        values: cells.slice(start + i * width, start + (i + 1) * width),
      })),
    );
  }
  const summed = series.map((labels, i) => {
    const values = new Float64Array(width);
    for (const { cells } of workers) {
      for (let k = 0; k < width; k++) {
        values[k] = element(values[k]) + element(cells[start + i * width + k]);
      }
    }
    return { labels, values };
  });
  const { plugin, peer } = element(series[0]);
  if (plugin !== undefined)
    return withNames(new SlotNames(memory.plugins, PLUGIN_SLOTS), 'plugin', summed);
  if (peer !== undefined) return withNames(new SlotNames(memory.peers, PEER_SLOTS), 'peer', summed);
  return summed;
}

/** Replaces the slots of a label by their names, and omits slots that are not in use. */
function withNames(names: SlotNames, label: string, series: Series[]): Series[] {
  return series.flatMap(({ labels, values }) => {
    const name = names.nameAt(present(labels[label], 'label with names'));
    const isUnused = name === OTHER && values.every((value) => value === 0);
    return name === null || isUnused ? [] : [{ labels: { ...labels, [label]: name }, values }];
  });
}

/** Returns all metrics in the Prometheus text format 0.0.4. */
export function renderMetrics(memory: MetricsMemory): string {
  const lines: string[] = [];
  for (const name of metricNames) {
    const metric = metricOf(name);
    const found = readSeries(memory, name);
    if (found.length === 0) continue;
    lines.push(`# HELP ${name} ${escapeHelp(metric.help)}`, `# TYPE ${name} ${metric.type}`);
    for (const series of found) samples(lines, name, metric, series);
  }
  return `${lines.join('\n')}\n`;
}

function samples(lines: string[], name: string, metric: Metric, { labels, values }: Series): void {
  if (metric.type !== 'histogram') {
    lines.push(`${name}${labelText(labels)} ${numberText(element(values[0]))}`);
    return;
  }
  const { buckets } = metric;
  let count = 0;
  for (let i = 0; i <= buckets.length; i++) {
    count += element(values[i]);
    const le = i < buckets.length ? String(buckets[i]) : '+Inf';
    lines.push(`${name}_bucket${labelText({ ...labels, le })} ${count}`);
  }
  lines.push(`${name}_sum${labelText(labels)} ${numberText(element(values[buckets.length + 1]))}`);
  lines.push(`${name}_count${labelText(labels)} ${count}`);
}

function numberText(value: number): string {
  return String(value).replace('Infinity', 'Inf').replace(/^Inf/, '+Inf');
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function escapeHelp(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}
