// Runner of one flood against a relay beside honest clients: starts the processes, measures, and
// checks the bounds.

import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { sumOf } from '../bench/figures/histogram.ts';
import { median } from '../bench/figures/statistics.ts';
import { now } from '../bench/load/clock.ts';
import { formatMilliseconds } from '../src/lib/format.ts';
import type { AttackReport } from './attack/attack.ts';
import type { FloodCall, NamedJob } from './attack/process.ts';
import { type Breach, bounds, breachesOf, type Figures } from './bounds.ts';
import { Child } from './child.ts';
import type { HonestJob, HonestReport } from './honest/client.ts';
import {
  type Answered,
  SaturationMeter,
  type Span,
  secondsIn,
  unsaturatedP99,
} from './saturation.ts';
import type { Origin, Scenario } from './scenarios/scenario.ts';
import { Besieged } from './watch.ts';

/** Form of a siege: durations of the parts of a run, and the strictness of the check. */
export interface SiegeForm {
  readonly short: boolean;
  readonly seed: number;
  /** Time of honest clients alone, before RSS is taken as that of the start. */
  readonly warmMilliseconds: number;
  readonly floodMilliseconds: number;
  /** Time that the memory may take to come back; 0: the run does not wait for it. */
  readonly settleMilliseconds: number;
  /** True to check p99 and the memory afterwards. */
  readonly speed: boolean;
  /** Longest time that any operation of an honest client may take, in milliseconds. */
  readonly patience: number;
  /** Number of kills in the crash test. */
  readonly kills: number;
}

/** Default form, long enough to measure p99: 400 notes and 400 questions. */
export const FULL: Omit<SiegeForm, 'seed'> = {
  short: false,
  warmMilliseconds: 5000,
  floodMilliseconds: 20_000,
  settleMilliseconds: 60_000,
  speed: true,
  patience: 30_000,
  kills: 50,
};

/**
 * Short form for CI. Shows that every flood is survived, and says nothing of how fast the machine
 * is.
 */
export const SHORT: Omit<SiegeForm, 'seed'> = {
  short: true,
  warmMilliseconds: 300,
  floodMilliseconds: 700,
  settleMilliseconds: 0,
  speed: false,
  patience: 30_000,
  kills: 2,
};

/** Long form: five minutes of each flood. */
export const LONG: Omit<SiegeForm, 'seed'> = {
  ...FULL,
  floodMilliseconds: 300_000,
  kills: 1000,
};

/** Latency percentiles, in milliseconds. */
interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Results of one run: a line of the table. */
export interface Row extends Figures {
  readonly scenario: string;
  readonly attackers: string;
  readonly publish: Latency;
  readonly req: Latency;
  readonly delivery: Latency;
  /** Lateness of the honest clients' own process. */
  readonly lag: Latency;
  readonly acknowledged: number;
  /** Numbers of messages that the flood sent and of answers, by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** Number of processors that relay and attackers used while the flood lasted. */
  readonly relayCores: number;
  readonly attackerCores: number;
  readonly idleShare: number;
  /** Share of the machine that other programs used, as a share of 1. */
  readonly othersShare: number;
  readonly floodSeconds: number;
  /** Number of seconds of the flood in which it saturated the machine. */
  readonly saturatedSeconds: number;
  readonly settledSeconds: number;
  /** End of the relay's log, if a worker or the relay itself has ended; else ''. */
  readonly log: string;
  readonly breaches: readonly Breach[];
  /** Slowest answers beyond the bound of p99, with the time of each: `REQ 238 ms at 0.3 s`. */
  readonly slowAnswers: readonly string[];
}

/** Number of slow answers that a run names for each kind. */
const SLOW_NAMED = 6;
const POLL_MILLISECONDS = 100;
const MANY = 50;
const labels: Readonly<Record<Origin, string>> = { one: '1', many: '50', loopback: 'loopback' };

/**
 * Returns the addresses of the attackers. Fifty addresses lie in as many networks, so that no rate
 * of a network reduces the load on the relay.
 */
function addressesOf({ addresses }: Scenario, origin: Origin): string[] {
  if (origin === 'loopback') return [''];
  const count = origin === 'one' ? 1 : MANY;
  return addresses?.(count) ?? Array.from({ length: count }, (_, n) => `198.18.${n}.1`);
}

/**
 * Runs a flood from each of these origins beside honest clients, and checks the bounds. Each run
 * starts on a fresh relay, except in the short form, where the runs follow each other on one.
 *
 * @param tell gets each row as soon as it is complete.
 */
export async function runScenario(
  scenario: Scenario,
  origins: readonly Origin[],
  form: SiegeForm,
  tell: (row: Row) => void = () => {},
): Promise<Row[]> {
  const groups = form.short && origins.length > 0 ? [origins] : origins.map((origin) => [origin]);
  const rows: Row[] = [];
  for (const group of groups) {
    const besieged = await Besieged.start(scenario.settings);
    const attackers = Child.start('attack/process');
    const honest = Child.start('honest/process');
    const field = { besieged, attackers, honest };
    try {
      await attackers.call('prepare', jobOf(besieged, scenario, 'loopback', form));
      for (const origin of group) {
        const row = await runOne(field, scenario, origin, form);
        rows.push(row);
        tell(row);
      }
    } finally {
      await Promise.all([attackers.end(), honest.end()]);
      await besieged.end();
    }
  }
  return rows;
}

function jobOf(besieged: Besieged, scenario: Scenario, origin: Origin, form: SiegeForm): NamedJob {
  return {
    scenario: scenario.name,
    url: besieged.relay.url,
    addresses: addressesOf(scenario, origin),
    seed: form.seed,
    short: form.short,
  };
}

/** Participants of a run, each a process. */
interface Field {
  readonly besieged: Besieged;
  readonly attackers: Child;
  readonly honest: Child;
}

async function runOne(
  { besieged, attackers, honest }: Field,
  scenario: Scenario,
  origin: Origin,
  form: SiegeForm,
): Promise<Row> {
  const { patience, seed, floodMilliseconds } = form;
  // Each row has its own notes, also on a relay that holds those of the row before.
  const honestSeed = seed * 8 + ['one', 'many', 'loopback'].indexOf(origin);
  const deathsBefore = besieged.workerDeaths;
  await honest.call('arrive', {
    url: besieged.relay.url,
    seed: honestSeed,
    patience,
  } as HonestJob);
  const rssStart = await warm(besieged, honest, form);
  besieged.resetPeak();
  besieged.idleShare();
  const cpuBefore = besieged.cpuSeconds();
  await honest.call('measure', true);
  const meter = new SaturationMeter(attackers.pid);
  const job = jobOf(besieged, scenario, origin, form);
  const flood: FloodCall = { job, milliseconds: floodMilliseconds, patience };
  const began = now();
  const attack = await attackers.call<AttackReport>('flood', flood);
  const seconds = (now() - began) / 1000;
  await honest.call('measure', false);
  const saturated = meter.end();
  const relayCores = Math.max(besieged.cpuSeconds() - cpuBefore, 0) / seconds;
  const idleShare = besieged.idleShare();
  const settledSeconds = await settle(besieged, rssStart, form);
  const rssAfter = besieged.rss();
  const report = await honest.call<HonestReport>('leave');
  const health = await healthy(besieged, patience);
  return rowOf({
    scenario,
    origin,
    form,
    attack,
    report,
    saturated,
    rest: {
      rssStart,
      rssPeak: besieged.peak,
      rssAfter,
      workerDeaths: besieged.workerDeaths - deathsBefore,
      hasEnded: besieged.hasEnded,
      health,
      relayCores,
      attackerCores: attack.cpuSeconds / seconds,
      idleShare,
      log: besieged.workerDeaths > deathsBefore || besieged.hasEnded ? besieged.output : '',
      floodSeconds: seconds,
      settledSeconds,
    },
  });
}

/**
 * Returns the memory of a relay that serves honest clients alone: the median of the last half of
 * the warm-up.
 */
async function warm(besieged: Besieged, honest: Child, form: SiegeForm): Promise<number> {
  const end = now() + form.warmMilliseconds;
  const samples: number[] = [];
  while (now() < end) {
    await sleep(POLL_MILLISECONDS);
    samples.push(besieged.rss());
  }
  const giveUp = now() + form.patience;
  while ((await honest.call<number>('served')) === 0) {
    if (now() > giveUp) throw new Error('the honest client got no answers before the flood');
    await sleep(POLL_MILLISECONDS);
  }
  return median(samples.slice(samples.length >> 1));
}

/** Waits until the memory is back, or the time for that is over; returns the seconds it took. */
async function settle(besieged: Besieged, rssStart: number, form: SiegeForm): Promise<number> {
  const began = now();
  const enough = rssStart * (1 + bounds.rssGrowth);
  while (besieged.rss() > enough && now() - began < form.settleMilliseconds) {
    await sleep(POLL_MILLISECONDS);
  }
  return (now() - began) / 1000;
}

async function healthy(besieged: Besieged, patience: number): Promise<string> {
  const end = now() + patience;
  for (;;) {
    const health = await besieged.health(patience);
    if (health === 'ok' || besieged.hasEnded || now() > end) return health;
    await sleep(POLL_MILLISECONDS);
  }
}

interface Parts {
  readonly scenario: Scenario;
  readonly origin: Origin;
  readonly form: SiegeForm;
  readonly attack: AttackReport;
  readonly report: HonestReport;
  /** Windows of the flood in which it saturated the machine. */
  readonly saturated: readonly Span[];
  readonly rest: Pick<
    Row,
    | 'rssStart'
    | 'rssPeak'
    | 'rssAfter'
    | 'workerDeaths'
    | 'hasEnded'
    | 'health'
    | 'relayCores'
    | 'attackerCores'
    | 'idleShare'
    | 'log'
    | 'floodSeconds'
    | 'settledSeconds'
  >;
}

/** Returns the slowest answers beyond the bound of p99, as text with the time of their message. */
function slowestOf(kind: string, answers: readonly Answered[]): string[] {
  return answers
    .filter(({ milliseconds }) => milliseconds > bounds.p99Milliseconds)
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .slice(0, SLOW_NAMED)
    .map(
      ({ dueAt, milliseconds }) =>
        `${kind} ${formatMilliseconds(milliseconds)} at ${(dueAt / 1000).toFixed(1)} s`,
    );
}

function rowOf({ scenario, origin, form, attack, report, saturated, rest }: Parts): Row {
  const [publish, req, delivery, lag] = [
    report.publish,
    report.req,
    report.delivery,
    report.lag,
  ].map((data) => {
    const { p50, p99, max } = sumOf([data]).percentiles();
    return { p50, p99, max };
  }) as [Latency, Latency, Latency, Latency];
  const busy = rest.relayCores + rest.attackerCores;
  const figures: Figures = {
    ...rest,
    publishP99: publish.p99,
    reqP99: req.p99,
    slowest: report.slowest,
    unsaturatedPublishP99: unsaturatedP99(report.published, saturated),
    unsaturatedReqP99: unsaturatedP99(report.requested, saturated),
    lost: report.lost,
    undelivered: report.undelivered,
    deliveredTwice: report.deliveredTwice,
    refusedBusy: report.refusedBusy,
    complaints: report.complaints,
    wrong: attack.wrong,
    proof: attack.counts[scenario.proof] ?? 0,
  };
  return {
    ...figures,
    ...rest,
    scenario: scenario.name,
    attackers: labels[origin],
    publish,
    req,
    delivery,
    lag,
    acknowledged: report.acknowledged,
    saturatedSeconds: secondsIn(saturated),
    othersShare: Math.max(1 - rest.idleShare - busy / availableParallelism(), 0),
    counts: attack.counts,
    breaches: breachesOf(figures, form),
    slowAnswers: [...slowestOf('publish', report.published), ...slowestOf('REQ', report.requested)],
  };
}
