// Comparison of two relays, measured in turns.

import type { Piscina } from 'piscina';
import type { Progress } from '../../src/lib/progress.ts';
import { median, medianInterval } from '../figures/statistics.ts';
import type { CaseResult, Environment } from '../report/result.ts';
import type { RunParameters } from '../run/parameters.ts';
import { runScenarios } from '../run/run.ts';
import type { Chosen } from '../run/run-case.ts';
import type { Side } from './side.ts';

/** Figure that is compared, and which direction is better. */
interface Metric {
  readonly name: string;
  readonly unit: 'rate' | 'milliseconds' | 'microseconds' | 'bytes';
  readonly better: 'more' | 'less';
  readonly of: (result: CaseResult) => number | undefined;
}

const metrics: readonly Metric[] = [
  { name: 'rate', unit: 'rate', better: 'more', of: ({ perSecond }) => perSecond },
  { name: 'p50', unit: 'milliseconds', better: 'less', of: ({ latency }) => latency.p50 },
  { name: 'p99', unit: 'milliseconds', better: 'less', of: ({ latency }) => latency.p99 },
  {
    name: 'CPU each',
    unit: 'microseconds',
    better: 'less',
    of: ({ relay }) => relay?.cpuMicrosecondsPerUnit,
  },
  { name: 'disk each', unit: 'bytes', better: 'less', of: ({ relay }) => relay?.diskBytesPerUnit },
  { name: 'peak RSS', unit: 'bytes', better: 'less', of: ({ relay }) => relay?.rssPeakBytes },
];

/** One figure of one case on both sides. Ratios are B / A, one for each round. */
export interface Comparison {
  readonly case: string;
  readonly metric: string;
  readonly unit: Metric['unit'];
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly ratios: readonly number[];
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** Interval in which 95 % of medians of more such rounds would lie (bootstrap). */
  readonly interval: readonly [low: number, high: number];
  /** Better side; neither, if the interval holds 1 or there are too few rounds. */
  readonly better: 'A' | 'B' | 'neither';
}

/** Report of `wok bench compare`; --json writes it. */
export interface CompareReport {
  readonly format: 'wok-bench-compare-1';
  readonly startedAt: string;
  readonly a: string;
  readonly b: string;
  readonly rounds: number;
  /** True if every answer of both sides was right. */
  readonly ok: boolean;
  readonly interrupted: boolean;
  readonly environment: Environment;
  readonly comparisons: readonly Comparison[];
  /** Faults of cases in which a side gave wrong answers. */
  readonly faults: readonly string[];
}

/** Number of rounds below which neither side is called better. */
const ROUNDS_MIN = 5;
/** Distance of the seeds of two rounds; scenarios add less than this. */
const ROUND_SEEDS = 1000;

interface CompareOptions {
  readonly a: Side;
  readonly b: Side;
  readonly rounds: number;
  readonly chosen: readonly Chosen[];
  readonly parameters: RunParameters;
  readonly pool: Piscina;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Runs the same on A, B, A, B … and compares round by round, so that slow changes of the machine
 * affect both. Both get the same data in a round. A relay at an address keeps earlier events, so
 * with one every round publishes other events.
 */
export async function compare(
  options: CompareOptions,
): Promise<Pick<CompareReport, 'ok' | 'comparisons' | 'faults'>> {
  const { a, b, rounds, chosen, parameters, pool, progress, signal } = options;
  const keeps = a.source.from === 'url' || b.source.from === 'url';
  const seen: { a: CaseResult[]; b: CaseResult[] } = { a: [], b: [] };
  const faults: string[] = [];
  for (let round = 0; round < rounds && !signal.aborted; round++) {
    for (const which of ['a', 'b'] as const) {
      const side = options[which];
      progress.say(`round ${round + 1} of ${rounds}: ${side.name}`);
      await runScenarios({
        source: side.source,
        chosen,
        parameters: { ...parameters, freshSeedOffset: keeps ? round * ROUND_SEEDS : 0 },
        pool,
        progress,
        signal,
        onResult: (result) => {
          if (result.interrupted) return;
          seen[which].push(result);
          for (const example of result.ok
            ? []
            : [...Object.keys(result.wrong), ...result.examples]) {
            faults.push(`${side.name}, ${result.scenario} ${result.name}: ${example}`);
          }
        },
      });
    }
  }
  return { ok: faults.length === 0, comparisons: comparisonsOf(seen.a, seen.b), faults };
}

/** Pairs the results of the rounds; a round that one side did not end is left out. */
export function comparisonsOf(a: readonly CaseResult[], b: readonly CaseResult[]): Comparison[] {
  const names = [...new Set(a.map(nameOf))];
  return names.flatMap((name) => {
    const left = a.filter((result) => nameOf(result) === name);
    const right = b.filter((result) => nameOf(result) === name);
    return metrics.flatMap((metric) => compared(name, metric, left, right));
  });
}

function compared(
  name: string,
  metric: Metric,
  left: readonly CaseResult[],
  right: readonly CaseResult[],
): Comparison[] {
  const pairs: [number, number][] = [];
  for (let round = 0; round < Math.min(left.length, right.length); round++) {
    const a = metric.of(left[round]!);
    const b = metric.of(right[round]!);
    // A ratio needs both values; a disk that is not written to has none.
    if (a !== undefined && b !== undefined && a > 0 && b > 0) pairs.push([a, b]);
  }
  if (pairs.length === 0) return [];
  const ratios = pairs.map(([a, b]) => b / a);
  const interval = medianInterval(ratios);
  return [
    {
      case: name,
      metric: metric.name,
      unit: metric.unit,
      a: pairs.map(([value]) => value),
      b: pairs.map(([, value]) => value),
      ratios,
      median: median(ratios),
      low: Math.min(...ratios),
      high: Math.max(...ratios),
      interval,
      better: pairs.length < ROUNDS_MIN ? 'neither' : betterSide(metric.better, interval),
    },
  ];
}

function betterSide(
  better: Metric['better'],
  [low, high]: readonly [number, number],
): Comparison['better'] {
  if (low <= 1 && high >= 1) return 'neither';
  return low > 1 === (better === 'more') ? 'B' : 'A';
}

function nameOf({ scenario, name }: CaseResult): string {
  return `${scenario} ${name}`;
}
