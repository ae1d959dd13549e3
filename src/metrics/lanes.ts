// Counters of the supervisor about the worker threads: restarts and silence.

import { element } from '../lib/assert.ts';
import { cellOf } from './layout.ts';
import type { MetricsMemory } from './memory.ts';
import { laneCells } from './meter.ts';

const RESTARTS = cellOf('wok_lane_restarts_total');
const SILENCE = cellOf('wok_lane_silence_seconds');

/** Meters of the worker threads in cells that only the supervisor writes. */
export class WorkerMeters {
  readonly #memory: MetricsMemory;

  constructor(memory: MetricsMemory) {
    this.#memory = memory;
  }

  /** Counts the restart of a worker thread that died. */
  restarts(station: string, lane: number): void {
    const cells = this.#cells(station, lane);
    if (cells) cells[RESTARTS] = element(cells[RESTARTS]) + 1;
  }

  /** Sets the time for which a worker thread has not answered. */
  silent(station: string, lane: number, milliseconds: number): void {
    const cells = this.#cells(station, lane);
    if (cells) cells[SILENCE] = milliseconds / 1000;
  }

  #cells(station: string, lane: number): Float64Array | null {
    const { lanes } = this.#memory;
    const index = lanes.findIndex((one) => one.station === station && one.lane === lane);
    return index < 0 ? null : laneCells(this.#memory, index);
  }
}
