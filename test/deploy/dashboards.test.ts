// Alert rules and dashboard in deploy/: every metric, label and value that they name exists;
// promtool checks them, too, where it is installed.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { shareMetrics } from '../../src/metrics/meter.ts';
import { renderMetrics } from '../../src/metrics/render.ts';
import { type MetricName, metricNames, metricOf } from '../../src/metrics/table.ts';
import { packageRoot } from '../../src/paths.ts';
import { freshDirectory } from '../support/relay.ts';

const RULES = join(packageRoot, 'deploy/prometheus/wok-alerts.yml');
const CONFIG = join(packageRoot, 'deploy/prometheus/prometheus.yml');
const promtool = process.env.PROMTOOL ?? 'promtool';
const hasPromtool = spawnSync(promtool, ['--version']).status === 0;
/** Labels that Prometheus adds itself. */
const ADDED = ['instance', 'job', 'le'];

/** Returns the expressions of the alert rules, each with the name of its alert. */
function alerts(): [string, string][] {
  const text = readFileSync(RULES, 'utf8');
  return [...text.matchAll(/- alert: (\w+)\n\s+expr: (.+)/g)].map(([, name, expr]) => [
    name!,
    expr!,
  ]);
}

interface Panel {
  title: string;
  type: string;
  id: number;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
}

interface Dashboard {
  panels: Panel[];
  templating: { list: { name: string; query: { query: string } | string }[] };
  annotations: { list: { expr: string }[] };
}

const dashboard = JSON.parse(
  readFileSync(join(packageRoot, 'deploy/grafana/wok.json'), 'utf8'),
) as Dashboard;

function panels(): [string, string][] {
  return dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }): [string, string] => [title, expr]),
  );
}

/** Returns the faults in the metrics and labels of an expression. */
function complaints(expr: string): string[] {
  const found: string[] = [];
  const selectors = expr.matchAll(/\b((?:wok|process)_\w+)(?:\{([^}]*)\})?/g);
  let some = false;
  for (const [, name, matchers = ''] of selectors) {
    some = true;
    const family = metricNames.find(
      (one) => one === name || (metricOf(one).type === 'histogram' && isPartOf(one, name!)),
    );
    if (family === undefined) {
      found.push(`there is no metric ${name}`);
      continue;
    }
    const { type, labels = {}, per } = metricOf(family);
    if (type === 'histogram' && family === name) found.push(`${name} is a histogram`);
    for (const [, label, operator, value] of matchers.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)) {
      const known = [
        ...Object.keys(labels),
        ...(per === 'worker' ? ['station', 'worker'] : []),
        ...ADDED,
      ];
      if (!known.includes(label!)) found.push(`${name} has no label ${label}`);
      const values = labels[label!];
      const asked = operator!.includes('~') ? value!.split('|') : [value!];
      for (const one of values ? asked : []) {
        if (!values!.includes(one)) found.push(`${name} has no ${label}="${one}"`);
      }
    }
    const by = /by \(([^)]*)\)/.exec(expr)?.[1]?.split(/,\s*/) ?? [];
    for (const label of by) {
      const known = [
        ...Object.keys(labels),
        ...(per === 'worker' ? ['station', 'worker'] : []),
        ...ADDED,
      ];
      if (!known.includes(label)) found.push(`${name} cannot be summed by ${label}`);
    }
  }
  if (!some && !/^up\b/.test(expr)) found.push('no metric of wok in it');
  return found;
}

function isPartOf(family: MetricName, name: string): boolean {
  return ['_bucket', '_sum', '_count'].some((suffix) => name === family + suffix);
}

describe('the check', () => {
  it.each([
    ['wok_nothing', 'there is no metric wok_nothing'],
    ['rate(wok_eose_seconds[5m])', 'wok_eose_seconds is a histogram'],
    ['wok_events_total{outcome="eaten"}', 'wok_events_total has no outcome="eaten"'],
    ['wok_connections{worker="0"}', 'wok_connections has no label worker'],
    ['sum by (verb) (wok_connections)', 'wok_connections cannot be summed by verb'],
    ['vector(1)', 'no metric of wok in it'],
  ])('finds what is wrong with %s', (expr, complaint) => {
    expect(complaints(expr)).toEqual([complaint]);
  });
});

describe('alert rules', () => {
  it('are found', () => {
    const text = readFileSync(RULES, 'utf8');
    expect(alerts()).toHaveLength(text.match(/- alert:/g)!.length);
    expect(alerts().length).toBeGreaterThan(10);
  });

  it.each(alerts())('%s names what there is: %s', (_, expr) => {
    expect(complaints(expr)).toEqual([]);
  });

  it('stand in docs/metrics.md, each with what to do', () => {
    const text = readFileSync(join(packageRoot, 'docs/metrics.md'), 'utf8');
    for (const [name] of alerts()) expect(text).toContain(`\`${name}\``);
  });

  it.runIf(hasPromtool)('pass promtool', () => {
    const rules = spawnSync(promtool, ['check', 'rules', RULES], { encoding: 'utf8' });
    expect(rules.stdout + rules.stderr).toContain('SUCCESS');
    expect(rules.status).toBe(0);
    const config = spawnSync(promtool, ['check', 'config', CONFIG], { encoding: 'utf8' });
    expect(config.status).toBe(0);
  });

  it.runIf(hasPromtool)('and the metrics are about what promtool takes without a word', () => {
    const workers = { io: 1, ingester: 2, writer: 1, query: 2, monitor: 1, plugins: 1, admin: 1 };
    const input = renderMetrics(shareMetrics(workers));
    const metrics = spawnSync(promtool, ['check', 'metrics'], { encoding: 'utf8', input });
    expect(metrics.stdout + metrics.stderr).toBe('');
    expect(metrics.status).toBe(0);
  });
});

describe('the dashboard', () => {
  it.each(panels())('%s names what there is: %s', (_, expr) => {
    expect(complaints(expr)).toEqual([]);
  });

  it('has variables and annotations of what there is', () => {
    for (const { expr } of dashboard.annotations.list) expect(complaints(expr)).toEqual([]);
    const [, instance] = dashboard.templating.list;
    expect(JSON.stringify(instance!.query)).toContain('label_values(wok_build_info, instance)');
  });

  it('shows nearly everything that is counted', () => {
    const shown = panels()
      .map(([, expr]) => expr)
      .join(' ');
    const missing = metricNames.filter((name) => !shown.includes(name));
    expect(missing.length).toBeLessThan(12);
  });

  it('has panels that do not overlap, inside of 24 columns', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const taken = new Set<string>();
    for (const {
      gridPos: { x, y, w, h },
      title,
    } of dashboard.panels) {
      expect([title, x + w <= 24]).toEqual([title, true]);
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          const cell = `${column},${row}`;
          expect([title, taken.has(cell)]).toEqual([title, false]);
          taken.add(cell);
        }
      }
    }
  });

  it.runIf(hasPromtool)('has expressions that promtool parses', () => {
    const rules = panels().map(([, expr], i) => {
      const plain = expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', 'x');
      return `      - { record: "test:${i}", expr: ${JSON.stringify(plain)} }`;
    });
    const file = join(freshDirectory(), 'dashboard.yml');
    writeFileSync(file, `groups:\n  - name: dashboard\n    rules:\n${rules.join('\n')}\n`);
    const { status, stdout } = spawnSync(promtool, ['check', 'rules', file], { encoding: 'utf8' });
    expect(stdout).toContain(`SUCCESS: ${rules.length} rules found`);
    expect(status).toBe(0);
  });
});

describe('the exposition', () => {
  it.runIf(hasPromtool)('passes promtool', () => {
    const memory = shareMetrics({ io: 1, ingester: 2, writer: 1, query: 2, monitor: 1, admin: 1 });
    const input = renderMetrics(memory);
    const { status, stderr } = spawnSync(promtool, ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
