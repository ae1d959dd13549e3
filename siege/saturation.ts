// Saturation of the machine by a flood, in windows of a fifth of a second.

import { availableParallelism } from 'node:os';
import { Histogram } from '../bench/figures/histogram.ts';
import { now } from '../bench/load/clock.ts';
import { MachineMeter, ProcessMeter } from '../bench/relay/process-meter.ts';
import { saturation } from './bounds.ts';

/** Duration of a window: floods begin with bursts of half a second; the system counts in 10 ms. */
const WINDOW = 200;

/** Time of an answer to an honest client, in milliseconds from the beginning of the measurement. */
export interface Answered {
  readonly dueAt: number;
  readonly milliseconds: number;
}

/** Span of time in milliseconds from the beginning of the measurement. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Recorder of the time in which attackers saturate the machine, from its construction on. */
export class SaturationMeter {
  readonly #machine = new MachineMeter();
  readonly #attackers: ProcessMeter;
  readonly #start = now();
  readonly #spans: Span[] = [];
  readonly #timer: NodeJS.Timeout;
  #sampledAt = this.#start;
  #cpuSeconds: number;

  /** @param pid the process of the attackers. */
  constructor(pid: number) {
    this.#attackers = new ProcessMeter([pid]);
    this.#cpuSeconds = this.#cpu();
    this.#timer = setInterval(() => this.#sample(), WINDOW);
  }

  /** Ends the record; returns the windows in which the machine was saturated, in order. */
  end(): readonly Span[] {
    clearInterval(this.#timer);
    this.#sample();
    return this.#spans;
  }

  #sample(): void {
    const cpuBefore = this.#cpuSeconds;
    const before = this.#sampledAt;
    this.#cpuSeconds = this.#cpu();
    this.#sampledAt = now();
    const seconds = ((this.#sampledAt - before) / 1000) * availableParallelism();
    const attackerShare = (this.#cpuSeconds - cpuBefore) / seconds;
    const idleShare = this.#machine.read()?.idleShare ?? 1;
    if (idleShare >= saturation.idleShare || attackerShare <= saturation.attackerShare) return;
    this.#spans.push({ from: before - this.#start, to: this.#sampledAt - this.#start });
  }

  #cpu(): number {
    return this.#attackers.sample(now())?.cpuSeconds ?? this.#cpuSeconds;
  }
}

/** Returns the seconds in all spans together. */
export function secondsIn(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + (to - from) / 1000, 0);
}

/**
 * Returns the p99 of the messages between whose due time and answer the machine was never
 * saturated, in milliseconds; 0 of none.
 */
export function unsaturatedP99(answers: readonly Answered[], saturated: readonly Span[]): number {
  const times = new Histogram();
  for (const { dueAt, milliseconds } of answers) {
    if (saturated.some(({ from, to }) => dueAt < to && dueAt + milliseconds > from)) continue;
    times.record(milliseconds * 1000);
  }
  return times.percentiles().p99;
}
