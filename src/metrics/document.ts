// Markdown table of all metrics for docs/metrics.md.

import { type MetricName, metricNames, metricOf } from './table.ts';
import type { Metric } from './types.ts';

/** Labels whose values depend on build or configuration, or are in config/rule-names.ts. */
const UNLISTED: ReadonlySet<string> = new Set(['version', 'node', 'rule', 'plugin', 'peer']);

const HEAD = '| metric | type | labels | meaning |';

/** Returns the Markdown table of all metrics, as it is in docs/metrics.md. */
export function metricsTable(): string {
  const rows = metricNames.map((name) => `| ${cells(name, metricOf(name)).join(' | ')} |`);
  return [HEAD, '|---|---|---|---|', ...rows].join('\n');
}

/** Returns a document that ends with the table, with the table replaced by the current one. */
export function withMetricsTable(document: string): string {
  const [before] = document.split(HEAD, 1);
  return `${before}${metricsTable()}\n`;
}

function cells(name: MetricName, { type, labels = {}, per, help }: Metric): string[] {
  const names = Object.entries(labels).map(([label, values]) => {
    const list = UNLISTED.has(label) ? '' : `: ${values.join(', ')}`;
    return `\`${label}\`${list}`;
  });
  if (per === 'worker') names.unshift('`station`, `worker`');
  return [`\`${name}\``, type, names.join('; '), help];
}
