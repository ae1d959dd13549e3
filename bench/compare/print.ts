// Report of a comparison, as text and as an HTML page.

import { formatBytes, formatCount, formatMilliseconds } from '../../src/lib/format.ts';
import { median } from '../figures/statistics.ts';
import { barChart } from '../report/chart.ts';
import { COLOURS_COUNT, factList, figure, htmlTable, page } from '../report/page.ts';
import { tableOf } from '../report/table.ts';
import type { CompareReport, Comparison } from './compare.ts';

const HEAD = ['case', 'figure', 'A', 'B', 'B / A', 'from – to', '95 %', 'better'];

/** Returns the ratios with their spread, as a table for a terminal. */
export function compareTable(report: CompareReport): string {
  const { a, b, rounds } = report;
  return `A: ${a}\nB: ${b}\nrounds: ${rounds}\n\n${tableOf(HEAD, rowsOf(report))}`;
}

function rowsOf({ comparisons }: CompareReport): string[][] {
  return comparisons.map((one) => [
    one.case,
    one.metric,
    valueText(one, median(one.a)),
    valueText(one, median(one.b)),
    ratioText(one.median),
    `${ratioText(one.low)} – ${ratioText(one.high)}`,
    `${ratioText(one.interval[0])} – ${ratioText(one.interval[1])}`,
    one.better === 'neither' ? '' : one.better,
  ]);
}

function valueText({ unit }: Comparison, value: number): string {
  switch (unit) {
    case 'rate':
      return `${formatCount(value)}/s`;
    case 'milliseconds':
      return formatMilliseconds(value);
    case 'microseconds':
      return `${formatCount(value)} µs`;
    case 'bytes':
      return formatBytes(value);
  }
}

function ratioText(ratio: number): string {
  return `${ratio.toFixed(2)}×`;
}

/** Returns the comparison as one HTML page that opens without a network. */
export function compareHtml(report: CompareReport): string {
  const { a, b, rounds, startedAt, environment, comparisons, faults } = report;
  const names = [...new Set(comparisons.map(({ metric }) => metric))];
  const charts = names.map((metric, at) => {
    const bars = comparisons
      .filter((one) => one.metric === metric)
      .map((one) => ({
        label: one.case,
        value: one.median,
        low: one.low,
        high: one.high,
        text: `${ratioText(one.median)} (${ratioText(one.low)} – ${ratioText(one.high)})`,
        colour: at % COLOURS_COUNT,
      }));
    return figure(`${metric}: B / A`, barChart(bars, 1));
  });
  const facts = factList([
    ['A', a],
    ['B', b],
    ['rounds', String(rounds)],
    ['measured', startedAt],
    ['bench', `${environment.bench} ${environment.commit}, Node.js ${environment.node}`],
    ['machine', `${environment.cores} × ${environment.cpu}, ${environment.system}`],
    ['wrong answers', faults.join('; ')],
  ]);
  const body = [
    '<h1>wok bench: B against A</h1>',
    facts,
    '<p>Bars are medians of the rounds, whiskers reach from the least to the greatest, the dashed line is equality.</p>',
    `<div class="panels">${charts.join('')}</div>`,
    htmlTable(HEAD, rowsOf(report)),
  ].join('\n');
  return page(`wok bench: ${b} against ${a}`, body);
}
