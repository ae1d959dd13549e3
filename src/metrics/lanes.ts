import { cellOf } from './layout.ts';
import { laneCells, type MetricsMemory } from './meter.ts';

const RESTARTS = cellOf('wok_lane_restarts_total');
const SILENCE = cellOf('wok_lane_silence_seconds');

/** What the supervisor counts of the lanes, in cells of theirs that nobody else writes to. */
export class LaneMeters {
  readonly #memory: MetricsMemory;

  constructor(memory: MetricsMemory) {
    this.#memory = memory;
  }

  /** A lane died and is started again. */
  restarts(station: string, lane: number): void {
    const cells = this.#cells(station, lane);
    if (cells) cells[RESTARTS]!++;
  }

  /** How long a lane has not answered. */
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
