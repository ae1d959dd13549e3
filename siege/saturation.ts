// Saturation of the machine by a flood, second by second.

import { availableParallelism } from 'node:os';
import { Histogram } from '../bench/figures/histogram.ts';
import { now } from '../bench/load/clock.ts';
import { MachineMeter, ProcessMeter } from '../bench/relay/process-meter.ts';
import { saturation } from './bounds.ts';

const SECOND = 1000;

/** Time of an answer to an honest client, in milliseconds from the beginning of the measurement. */
export interface Answered {
  readonly dueAt: number;
  readonly milliseconds: number;
}

/** Recorder of the seconds in which attackers saturate the machine, from its construction on. */
export class SaturationMeter {
  readonly #machine = new MachineMeter();
  readonly #attackers: ProcessMeter;
  readonly #seconds: boolean[] = [];
  readonly #timer: NodeJS.Timeout;
  #cpuSeconds: number;

  /** @param pid the process of the attackers. */
  constructor(pid: number) {
    this.#attackers = new ProcessMeter([pid]);
    this.#cpuSeconds = this.#cpu();
    this.#timer = setInterval(() => this.#sample(), SECOND);
  }

  /** Ends the record; returns for each second whether the machine was saturated. */
  end(): readonly boolean[] {
    clearInterval(this.#timer);
    this.#sample();
    return this.#seconds;
  }

  #sample(): void {
    const before = this.#cpuSeconds;
    this.#cpuSeconds = this.#cpu();
    const attackerShare = (this.#cpuSeconds - before) / availableParallelism();
    const idleShare = this.#machine.read()?.idleShare ?? 1;
    this.#seconds.push(
      idleShare < saturation.idleShare && attackerShare > saturation.attackerShare,
    );
  }

  #cpu(): number {
    return this.#attackers.sample(now())?.cpuSeconds ?? this.#cpuSeconds;
  }
}

/**
 * Returns the p99 of the messages whose time from due to answered has no saturated second, in
 * milliseconds; 0 of none.
 */
export function unsaturatedP99(
  answers: readonly Answered[],
  saturated: readonly boolean[],
): number {
  const times = new Histogram();
  for (const { dueAt, milliseconds } of answers) {
    const first = Math.max(Math.floor(dueAt / SECOND), 0);
    const last = Math.floor((dueAt + milliseconds) / SECOND);
    if (!saturated.slice(first, last + 1).includes(true)) times.record(milliseconds * 1000);
  }
  return times.percentiles().p99;
}
