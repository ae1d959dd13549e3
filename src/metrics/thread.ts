// Sampling of a thread: event loop utilisation, lag and heap. The state is per thread, shared by
// the workers in it.

import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { element } from '../lib/assert.ts';
import { IdleCollection } from '../lib/idle-collection.ts';
import { cellOf } from './layout.ts';
import type { Meter } from './meter.ts';

const SAMPLE_MILLISECONDS = 1_000;
const RESOLUTION_MILLISECONDS = 20;
/**
 * Number of samples in the statistics of the lag: longer than the usual time between two scrapes.
 */
const SAMPLES = 15;
const NANOSECONDS = 1e9;

const BUSY = cellOf('wok_event_loop_busy_seconds_total');
const HEAP = cellOf('wok_thread_heap_bytes');
const LAG_MEAN = cellOf('wok_event_loop_lag_seconds', { statistic: 'mean' });
const LAG_P99 = cellOf('wok_event_loop_lag_seconds', { statistic: 'p99' });
const LAG_MAX = cellOf('wok_event_loop_lag_seconds', { statistic: 'max' });

/** Meters of the workers in this thread, and their predecessors' busy time: it stays counted. */
const watched = new Map<Meter, number>();
let unwatch: () => void = () => {};

/**
 * Samples the calling thread once a second: event loop utilisation, lag, and heap; collects garbage
 * when the thread is idle. Returns the function that ends it. Workers that share a thread share one
 * sample. (Measured: 4 µs a sample.)
 */
export function watchThread(meter: Meter): () => void {
  if (watched.size === 0) unwatch = sampleThread();
  watched.set(meter, element(meter.cells[BUSY]));
  return () => {
    if (watched.delete(meter) && watched.size === 0) unwatch();
  };
}

function sampleThread(): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MILLISECONDS });
  delay.enable();
  const idle = new IdleCollection();
  let busyBefore = 0;
  const recent: { mean: number; p99: number; max: number }[] = [];
  const sample = () => {
    const lag = (nanoseconds: number) =>
      Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MILLISECONDS / 1000) || 0;
    recent.push({
      mean: lag(delay.mean),
      p99: lag(delay.percentile(99)),
      max: lag(delay.max),
    });
    delay.reset();
    if (recent.length > SAMPLES) recent.shift();
    const mean = recent.reduce((sum, one) => sum + one.mean, 0) / recent.length;
    const p99 = Math.max(...recent.map((one) => one.p99));
    const max = Math.max(...recent.map((one) => one.max));
    const busy = performance.eventLoopUtilization().active / 1000;
    const heap = getHeapStatistics().used_heap_size;
    idle.sample((busy - busyBefore) / (SAMPLE_MILLISECONDS / 1000), heap);
    busyBefore = busy;
    for (const [meter, predecessors] of watched) {
      meter.set(LAG_MEAN, mean);
      meter.set(LAG_P99, p99);
      meter.set(LAG_MAX, max);
      meter.set(BUSY, predecessors + busy);
      meter.set(HEAP, heap);
    }
  };
  const timer = setInterval(sample, SAMPLE_MILLISECONDS);
  timer.unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
