import { type MetricName, metricNames, metricOf } from './table.ts';
import type { Metric } from './types.ts';

/** Labels whose values are different in every build, or stand in policy/rule-names.ts. */
const UNLISTED: ReadonlySet<string> = new Set(['version', 'node', 'rule']);

/** Every metric as a Markdown table, as it stands in docs/metrics.md. */
export function metricsTable(): string {
  const rows = metricNames.map((name) => `| ${cells(name, metricOf(name)).join(' | ')} |`);
  return ['| metric | type | labels | what it tells |', '|---|---|---|---|', ...rows].join('\n');
}

function cells(name: MetricName, { type, labels = {}, per, help }: Metric): string[] {
  const names = Object.entries(labels).map(([label, values]) => {
    const list = UNLISTED.has(label) ? '' : `: ${values.join(', ')}`;
    return `\`${label}\`${list}`;
  });
  if (per === 'lane') names.unshift('`station`, `lane`');
  return [`\`${name}\``, type, names.join('; '), help];
}
