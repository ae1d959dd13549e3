// Measurement of one case: runs the load threads and samples the relay. The main thread owns the
// pool.

import { Piscina } from 'piscina';
import { formatCount, plural } from '../../src/lib/format.ts';
import type { Progress } from '../../src/lib/progress.ts';
import { THREAD_FLAGS } from '../../src/lib/thread-flags.ts';
import type { Target } from '../client/target.ts';
import { now } from '../load/clock.ts';
import { Control } from '../load/control.ts';
import type { LoadJob, LoadReport, PartJob } from '../load/job.ts';
import { workerFile } from '../paths.ts';
import { MachineMeter, type ProcessMeter, type ProcessSample } from '../relay/process-meter.ts';
import type { Case } from '../scenarios/scenario.ts';

const POLL_MILLISECONDS = 10;
const SAMPLE_MILLISECONDS = 250;
/** Time that answers may take after the end, as long as some come, in milliseconds. */
const GRACE_MILLISECONDS = 90_000;
/** Time between the decision to start and the start, for the threads to see it. */
const HEAD_START_MILLISECONDS = 30;
/** Time without processor use and disk writes after which a relay counts as idle. */
const QUIET_MILLISECONDS = 1500;
const SETTLE_MILLISECONDS_MAX = 15_000;
const QUIET_CPU_SECONDS = 0.03;
/** Number of intervals into which a case is divided, about. */
const INTERVALS = 120;
const INTERVAL_MILLISECONDS_MIN = 250;

/** Raw result of a run of the threads. */
export interface Measurement {
  readonly reports: readonly LoadReport[];
  readonly goAt: number;
  readonly measureFrom: number;
  /** Time at which the last thread had its last answer, or the time was over. */
  readonly endedAt: number;
  readonly intervalMilliseconds: number;
  /**
   * Samples of the relay: before the start, after the warm-up, at the last answer, and when idle.
   */
  readonly before?: ProcessSample;
  readonly start?: ProcessSample;
  readonly end?: ProcessSample;
  readonly settled?: ProcessSample;
  readonly samples: readonly ProcessSample[];
  readonly machine?: { readonly idleShare: number; readonly stealShare: number };
  /** Number of processors that the bench itself kept busy, all its threads together. */
  readonly clientCores: number;
}

interface MeasureOptions {
  readonly of: Case;
  readonly label: string;
  readonly target: Target;
  readonly jobs: readonly (readonly PartJob[])[];
  readonly meter: ProcessMeter | undefined;
  /** Load threads, as many as there are jobs. */
  readonly pool: Piscina;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Number of items, if the case ends with the last of them. */
  readonly total: number | undefined;
}

/** Creates the load threads. They live as long as the bench runs, so that their code is warm. */
export function loadThreads(threads: number): Piscina {
  return new Piscina({
    execArgv: [...THREAD_FLAGS],
    filename: workerFile('load/load-worker'),
    name: 'run',
    minThreads: threads,
    maxThreads: threads,
  });
}

/**
 * Starts the threads, lets them connect, gives the start, samples the relay meanwhile, and collects
 * the reports. An aborted signal ends the run early; the measurement so far is returned.
 *
 * @throws Error when a thread fails, for instance because it cannot connect.
 */
export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { of, target, jobs, signal } = options;
  const threads = jobs.length;
  const control = new Control(threads);
  const stop = () => control.stop();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const warmupSeconds = 'seconds' in of.warmup ? of.warmup.seconds : 0;
  const intervalMilliseconds = Math.max(
    Math.ceil(((warmupSeconds + of.seconds) * 1000) / INTERVALS / INTERVAL_MILLISECONDS_MIN) *
      INTERVAL_MILLISECONDS_MIN,
    INTERVAL_MILLISECONDS_MIN,
  );
  try {
    const before = options.meter?.sample(now());
    const running = jobs.map((parts, thread) => {
      const job: LoadJob = {
        target,
        thread,
        threads,
        control: control.shared,
        parts,
        headline: of.headline,
        intervalMilliseconds,
        graceMilliseconds: GRACE_MILLISECONDS,
      };
      return options.pool.run(job) as Promise<LoadReport>;
    });
    const all = Promise.all(running);
    // A thread that fails ends the run; the others are told to stop.
    all.catch(stop);
    // No thread may go on while the next case begins.
    const everyOne = Promise.allSettled(running);
    const watch = await watched(options, control, all);
    await everyOne;
    const reports = await all;
    const settled = await settle(options, watch.end);
    return {
      reports,
      goAt: control.goAt,
      measureFrom: control.measureFrom,
      endedAt: watch.endedAt,
      intervalMilliseconds,
      samples: watch.samples,
      clientCores: watch.clientCores,
      ...(before === undefined ? {} : { before }),
      ...(watch.start === undefined ? {} : { start: watch.start }),
      ...(watch.end === undefined ? {} : { end: watch.end }),
      ...(settled === undefined ? {} : { settled }),
      ...(watch.machine === undefined ? {} : { machine: watch.machine }),
    };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

interface Watch {
  endedAt: number;
  start: ProcessSample | undefined;
  end: ProcessSample | undefined;
  samples: ProcessSample[];
  machine: { idleShare: number; stealShare: number } | undefined;
  clientCores: number;
}

/** Gives the start when all threads are ready, and samples the relay until they are done. */
async function watched(
  options: MeasureOptions,
  control: Control,
  all: Promise<unknown>,
): Promise<Watch> {
  const { of, label, meter, progress, total } = options;
  let settledAll = false;
  const settle = () => {
    settledAll = true;
  };
  all.then(settle, settle);
  const poll = () => new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  while (control.ready < control.threads && !settledAll) {
    progress.update(`${label}: connecting`, control.ready, control.threads);
    await poll();
  }
  const warmup = 'seconds' in of.warmup ? of.warmup.seconds * 1000 : 0;
  const goAt = now() + HEAD_START_MILLISECONDS;
  const measureFrom = 'seconds' in of.warmup ? goAt + warmup : Number.POSITIVE_INFINITY;
  control.go(goAt, measureFrom, goAt + warmup + of.seconds * 1000);
  progress.note(`${label}: started`);

  const watch: Watch = {
    endedAt: 0,
    start: undefined,
    end: undefined,
    samples: [],
    machine: undefined,
    clientCores: 0,
  };
  let client = { cpu: process.cpuUsage(), at: now() };
  const machine = new MachineMeter();
  let sampledAt = 0;
  let isFinished = false;
  while (!settledAll) {
    const moment = now();
    if (watch.start === undefined && moment >= control.measureFrom) {
      watch.start = meter?.sample(moment);
      machine.read();
      client = { cpu: process.cpuUsage(), at: moment };
    }
    const isOver = control.published >= control.threads || moment >= control.endAt;
    if (isOver && watch.endedAt === 0) watch.endedAt = moment;
    if (control.finished >= control.threads && !isFinished) {
      isFinished = true;
      watch.end = meter?.sample(moment);
      watch.machine = machine.read();
      watch.clientCores = coresSince(client, moment);
    }
    if (moment - sampledAt >= SAMPLE_MILLISECONDS) {
      sampledAt = moment;
      const sample = meter?.sample(moment);
      if (sample !== undefined) watch.samples.push(sample);
    }
    tellProgress(progress, label, control, of, total, moment);
    await poll();
  }
  if (watch.endedAt === 0) watch.endedAt = now();
  if (!isFinished) {
    watch.end = meter?.sample(now());
    watch.machine = machine.read();
    watch.clientCores = coresSince(client, now());
  }
  return watch;
}

function coresSince({ cpu, at }: { cpu: NodeJS.CpuUsage; at: number }, moment: number): number {
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1000 / Math.max(moment - at, 1);
}

function tellProgress(
  progress: Progress,
  label: string,
  control: Control,
  of: Case,
  total: number | undefined,
  moment: number,
): void {
  const { done, failed } = control.live();
  const seconds = Math.max(moment - control.goAt, 1) / 1000;
  const wrong = failed === 0 ? '' : `, ${formatCount(failed)} failed`;
  const rate = `${formatCount(done / seconds)} ${plural(of.unit)}/s${wrong}`;
  if (total === undefined) {
    progress.update(label, seconds, (control.endAt - control.goAt) / 1000, rate);
  } else {
    progress.update(label, done + failed, total, rate);
  }
}

/** Waits until the relay is idle, SETTLE_MILLISECONDS_MAX at most; returns its last busy sample. */
async function settle(
  { of, meter, progress, label }: MeasureOptions,
  end: ProcessSample | undefined,
): Promise<ProcessSample | undefined> {
  if (of.settles !== true || meter === undefined || end === undefined) return end;
  const began = now();
  let busyAt = began;
  let last = end;
  let settled = end;
  while (now() - busyAt < QUIET_MILLISECONDS && now() - began < SETTLE_MILLISECONDS_MAX) {
    progress.update(`${label}: the relay settles`, now() - busyAt, QUIET_MILLISECONDS, '');
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MILLISECONDS));
    const sample = meter.sample(now());
    if (sample === undefined) break;
    const isBusy =
      sample.cpuSeconds - last.cpuSeconds > QUIET_CPU_SECONDS ||
      sample.diskBytes !== last.diskBytes;
    if (isBusy) {
      busyAt = sample.at;
      settled = sample;
    }
    last = sample;
  }
  return settled;
}
