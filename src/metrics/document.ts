import { type MetricName, metricNames, metricOf } from './table.ts';
import type { Metric } from './types.ts';

/** Labels whose values are different in every build or configuration, or stand in policy/rule-names.ts. */
const UNLISTED: ReadonlySet<string> = new Set(['version', 'node', 'rule', 'plugin']);

const HEAD = '| metric | type | labels | what it tells |';

/** Every metric as a Markdown table, as it stands in docs/metrics.md. */
export function metricsTable(): string {
  const rows = metricNames.map((name) => `| ${cells(name, metricOf(name)).join(' | ')} |`);
  return [HEAD, '|---|---|---|---|', ...rows].join('\n');
}

/** A document that ends with the table, with the table as it is now. */
export function withMetricsTable(document: string): string {
  const [before] = document.split(HEAD, 1);
  return `${before}${metricsTable()}\n`;
}

function cells(name: MetricName, { type, labels = {}, per, help }: Metric): string[] {
  const names = Object.entries(labels).map(([label, values]) => {
    const list = UNLISTED.has(label) ? '' : `: ${values.join(', ')}`;
    return `\`${label}\`${list}`;
  });
  if (per === 'lane') names.unshift('`station`, `lane`');
  return [`\`${name}\``, type, names.join('; '), help];
}
