// Counters of the supervisor about the worker threads: restarts and silence.

import { element } from '../lib/assert.ts';
import { cellOf } from './layout.ts';
import type { MetricsMemory } from './memory.ts';
import { workerCells } from './meter.ts';

const RESTARTS = cellOf('wok_worker_restarts_total');
const SILENCE = cellOf('wok_worker_silence_seconds');

/** Meters of the worker threads in cells that only the supervisor writes. */
export class WorkerMeters {
  readonly #memory: MetricsMemory;

  constructor(memory: MetricsMemory) {
    this.#memory = memory;
  }

  /** Counts the restart of a worker thread that died. */
  restarts(station: string, worker: number): void {
    const cells = this.#cells(station, worker);
    if (cells) cells[RESTARTS] = element(cells[RESTARTS]) + 1;
  }

  /** Sets the time for which a worker thread has not answered. */
  silent(station: string, worker: number, milliseconds: number): void {
    const cells = this.#cells(station, worker);
    if (cells) cells[SILENCE] = milliseconds / 1000;
  }

  #cells(station: string, worker: number): Float64Array | null {
    const { workers } = this.#memory;
    const index = workers.findIndex((one) => one.station === station && one.worker === worker);
    return index < 0 ? null : workerCells(this.#memory, index);
  }
}
