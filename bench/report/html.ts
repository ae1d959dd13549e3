// Report of a run as an HTML page.

import { formatBytes, formatCount, formatMilliseconds, plural } from '../../src/lib/format.ts';
import { barChart, escapeHtml, linearTicks, lineChart, logTicks } from './chart.ts';
import { COLOURS_COUNT, factList, figure, htmlTable, page } from './page.ts';
import type { CaseResult, RunReport } from './result.ts';
import { RESULT_HEAD, remarks, resultRows } from './table.ts';

/** Returns a report with charts, as one HTML page that opens without a network. */
export function htmlReport(report: RunReport): string {
  const { results, target, environment, startedAt, ok, parameters } = report;
  const verdict = ok
    ? '<p class="good">All answers were right.</p>'
    : '<p class="bad">There were wrong answers, or nothing was measured: see below.</p>';
  const relay = [target.name, target.software, target.version].filter(Boolean).join(', ');
  const facts = factList([
    ['relay', `${target.url}${relay === '' ? '' : ` (${relay})`}`],
    ['started as', target.started ?? ''],
    ['measured', startedAt],
    ['command', report.command],
    ['bench', `${environment.bench} ${environment.commit}, Node.js ${environment.node}`],
    [
      'machine',
      `${environment.cores} × ${environment.cpu}, ${formatBytes(environment.memoryBytes)}, ${environment.system}`,
    ],
    [
      'parameters',
      Object.entries(parameters)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    ],
  ]);
  const scenarios = [...new Set(results.map(({ scenario }) => scenario))];
  const sections = scenarios.map((scenario) => {
    const own = results.filter((result) => result.scenario === scenario);
    return `<h2>${escapeHtml(scenario)}</h2>${overview(own)}${own.map(caseSection).join('\n')}`;
  });
  const body = [
    `<h1>wok bench: ${escapeHtml(scenarios.join(', '))}</h1>`,
    verdict,
    facts,
    '<h2>All figures</h2>',
    htmlTable(RESULT_HEAD, resultRows(results)),
    ...sections,
  ].join('\n');
  return page(`wok bench ${startedAt}`, body);
}

/** Returns charts of the rates and latencies of a scenario's cases beside each other. */
function overview(results: readonly CaseResult[]): string {
  const measured = results.filter(({ done }) => done > 0);
  if (measured.length === 0) return '';
  const bars = measured.map((result, at) => ({
    label: result.name,
    value: result.perSecond,
    low: 0,
    high: 0,
    text: `${formatCount(result.perSecond)} ${plural(result.unit)}/s`,
    colour: at % COLOURS_COUNT,
  }));
  const withLatency = measured.filter(({ latency }) => latency.max > 0);
  const lines = withLatency.map((result) => ({
    label: result.name,
    colour: measured.indexOf(result) % COLOURS_COUNT,
    points: result.curve.map(
      ([share, milliseconds]) => [tailOf(share), Math.max(milliseconds, 0.001)] as const,
    ),
  }));
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  const latency =
    lines.length === 0
      ? ''
      : figure(
          'Latency distribution',
          lineChart(
            { title: 'share of faster answers', scale: 'log', ticks: SHARE_TICKS },
            {
              title: 'latency',
              scale: 'log',
              ticks: logTicks(Math.min(...values), Math.max(...values), formatMilliseconds),
            },
            lines,
            (tail, value, label) =>
              `${label}: ${shareText(1 - 1 / tail)} within ${formatMilliseconds(value)}`,
          ),
          lines,
        );
  return `<div class="panels">${figure('Rate', barChart(bars))}${latency}</div>`;
}

/** Returns the horizontal position of a share; each nine of the tail gets the same space. */
function tailOf(share: number): number {
  return 1 / Math.max(1 - share, 1e-5);
}

const SHARE_TICKS = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1].map(
  (share) => [tailOf(share), share === 1 ? 'max' : shareText(share)] as const,
);

function shareText(share: number): string {
  return `${Number((share * 100).toFixed(3))} %`;
}

function caseSection(result: CaseResult): string {
  const { scenario, name, ok, series } = result;
  const notes = remarks(result).map((line) => `<li>${escapeHtml(line.trim())}</li>`);
  const charts = series.perSecond.length < 3 ? '' : `<div class="panels">${courses(result)}</div>`;
  const verdict = ok ? '<span class="good">ok</span>' : '<span class="bad">WRONG</span>';
  return (
    `<h3>${escapeHtml(`${scenario} ${name}`)}: ${verdict}</h3>` +
    `<ul>${notes.join('')}</ul>${charts}`
  );
}

/** Returns charts of throughput, latency and memory over time. */
function courses({ series, unit, headline }: CaseResult): string {
  const { intervalSeconds, perSecond, p50, p99, rss, warmupSeconds } = series;
  const at = (index: number) => index * intervalSeconds;
  const seconds = {
    title: `seconds (the first ${warmupSeconds.toFixed(1)} are warm-up)`,
    scale: 'linear' as const,
    ticks: linearTicks(at(perSecond.length), (value) => formatCount(value)),
  };
  const rate = lineChart(
    seconds,
    {
      title: `${plural(unit)} per second`,
      scale: 'linear',
      ticks: linearTicks(Math.max(...perSecond), formatCount),
    },
    [{ label: headline, colour: 0, points: perSecond.map((value, i) => [at(i), value] as const) }],
    (x, y) => `${x.toFixed(2)} s: ${formatCount(y)} ${plural(unit)}/s`,
  );
  const delays = [
    { label: 'p50', colour: 0, points: timed(p50, at) },
    { label: 'p99', colour: 1, points: timed(p99, at) },
  ];
  const values = delays.flatMap(({ points }) => points.map(([, value]) => value));
  const latency = lineChart(
    seconds,
    {
      title: 'latency',
      scale: 'log',
      ticks: logTicks(Math.min(...values), Math.max(...values), formatMilliseconds),
    },
    delays,
    (x, y, label) => `${x.toFixed(2)} s: ${label} ${formatMilliseconds(y)}`,
  );
  const figures = [
    figure(`Throughput: ${headline}`, rate),
    figure(`Latency: ${headline}`, latency, delays),
  ];
  if (rss.length > 2) {
    const points = rss.map(({ seconds: x, bytes }) => [Math.max(x, 0), bytes / 1e6] as const);
    const memory = lineChart(
      { ...seconds, ticks: linearTicks(Math.max(...points.map(([x]) => x)), formatCount) },
      {
        title: 'MB',
        scale: 'linear',
        ticks: linearTicks(Math.max(...points.map(([, y]) => y)), formatCount),
      },
      [{ label: 'RSS', colour: 2, points }],
      (x, y) => `${x.toFixed(2)} s: ${formatCount(y)} MB`,
    );
    figures.push(figure('Memory of the relay (RSS)', memory));
  }
  return figures.join('');
}

/** Returns the points of a latency chart; intervals in which nothing was answered are left out. */
function timed(
  values: readonly number[],
  at: (index: number) => number,
): (readonly [number, number])[] {
  return values.map((value, i) => [at(i), value] as const).filter(([, value]) => value > 0);
}
