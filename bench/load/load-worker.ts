// Main function of a load thread. One job is one run; its drivers and counters belong to the
// thread.

import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Connection } from '../client/connection.ts';
import { Histogram } from '../figures/histogram.ts';
import { now } from './clock.ts';
import { ConnectDriver } from './connect-driver.ts';
import { Control } from './control.ts';
import { type Driver, type DriverContext, sleep, waitUntil } from './driver.ts';
import type { LoadJob, LoadReport, PartJob } from './job.ts';
import { PublishDriver } from './publish-driver.ts';
import { QueryDriver } from './query-driver.ts';
import { SubscribeDriver } from './subscribe-driver.ts';
import { Tally } from './tally.ts';

const TELL_MILLISECONDS = 100;
const START_POLL_MILLISECONDS = 2;
/** Unit of CPU times in /proc, on every Linux that Node.js runs on. */
const TICK_SECONDS = 0.01;

function driverOf(context: DriverContext, job: PartJob): Driver {
  switch (job.part) {
    case 'publish':
      return new PublishDriver(context, job);
    case 'query':
      return new QueryDriver(context, job);
    case 'subscribe':
      return new SubscribeDriver(context, job);
    case 'connect':
      return new ConnectDriver(context, job);
  }
}

/** Runs one thread's share of a run: connects, waits for the start, works, and reports. */
export async function run(job: LoadJob): Promise<LoadReport> {
  const control = new Control(job.threads, job.control);
  const tally = new Tally(control, job.headline, job.intervalMilliseconds);
  const { target, thread, threads, graceMilliseconds } = job;
  const context: DriverContext = { target, control, tally, thread, threads, graceMilliseconds };
  const drivers = job.parts.map((part) => driverOf(context, part));
  const connections = (): Connection[] => drivers.flatMap((driver) => driver.connections);
  try {
    for (const driver of drivers) await driver.prepare();
    control.markReady();
    await started(control);
    const teller = setInterval(() => {
      const { done, failed } = tally.live;
      control.tell(thread, done, failed);
    }, TELL_MILLISECONDS);
    const busy = new BusyMeter();
    for (const driver of drivers) driver.start();
    await ended(control, job, drivers);
    const shares = busy.read();
    const publishers = drivers.filter((_, at) => job.parts[at]!.part === 'publish');
    const others = drivers.filter((driver) => !publishers.includes(driver));
    await Promise.all(publishers.map((driver) => driver.stop()));
    control.markPublished();
    await Promise.all(others.map((driver) => driver.stop()));
    control.markFinished();
    clearInterval(teller);
    control.tell(thread, tally.live.done, tally.live.failed);
    const lag = new Histogram();
    for (const driver of drivers) if (driver.lag !== undefined) lag.add(driver.lag.data());
    return {
      tally: tally.data(),
      bytesIn: connections().reduce((sum, { bytesIn }) => sum + bytesIn, 0),
      bytesOut: connections().reduce((sum, { bytesOut }) => sum + bytesOut, 0),
      ...shares,
      lag: lag.data(),
    };
  } finally {
    await Promise.all(connections().map((connection) => connection.close()));
  }
}

/** Waits for the start; returns at once if the run is stopped before. */
async function started(control: Control): Promise<void> {
  while (now() < control.goAt && !control.isStopped) await sleep(START_POLL_MILLISECONDS);
}

/** Waits until the time is over, or all publishing and connecting parts have finished. */
async function ended(control: Control, job: LoadJob, drivers: readonly Driver[]): Promise<void> {
  const bounded = drivers.filter((_, at) => {
    const part = job.parts[at]!.part;
    return part === 'publish' || part === 'connect';
  });
  let finished = false;
  if (bounded.length > 0) {
    void Promise.all(bounded.map((driver) => driver.finished)).then(() => {
      finished = true;
    });
  }
  await waitUntil(() => finished || control.isOver(now()), Number.POSITIVE_INFINITY);
}

/** Meter of this thread's load: share of time its event loop is busy, and share of a processor. */
class BusyMeter {
  readonly #loop = performance.eventLoopUtilization();
  readonly #since = now();
  readonly #cpuSeconds = threadCpuSeconds();

  read(): { loopShare: number; cpuShare: number } {
    const seconds = (now() - this.#since) / 1000;
    const { utilization } = performance.eventLoopUtilization(this.#loop);
    const cpu = threadCpuSeconds();
    const known = cpu !== undefined && this.#cpuSeconds !== undefined && seconds > 0;
    const cpuShare = known ? (cpu - this.#cpuSeconds) / seconds : utilization;
    return { loopShare: utilization, cpuShare };
  }
}

/** Returns user and system time of this thread in seconds; undefined without /proc. */
function threadCpuSeconds(): number | undefined {
  try {
    const stat = readFileSync('/proc/thread-self/stat', 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_SECONDS;
  } catch {
    return undefined;
  }
}
