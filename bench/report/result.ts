// Results of a run, in the form that --json writes.

import type { Percentiles } from '../figures/histogram.ts';

/** Result of one case. Times are seconds or, in latencies, milliseconds; sizes are bytes. */
export interface CaseResult {
  readonly scenario: string;
  readonly name: string;
  /** Unit that is counted: event, request, delivery, connection. */
  readonly unit: string;
  readonly headline: string;
  /** True if there was no wrong answer, and something was measured or the run was interrupted. */
  readonly ok: boolean;
  /** True if Ctrl-C came before the end. */
  readonly interrupted: boolean;
  /** Length of the measurement in seconds, warm-up left out. */
  readonly seconds: number;
  readonly done: number;
  readonly perSecond: number;
  /** Start of a latency: paced work has a moment at which it was due. */
  readonly latencyFrom: 'sending' | 'the moment it was due';
  readonly latency: Percentiles;
  readonly actions: readonly ActionResult[];
  readonly errors: Readonly<Record<string, number>>;
  readonly wrong: Readonly<Record<string, number>>;
  readonly examples: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Only for a relay on this machine whose process is known. */
  readonly relay?: RelayUse;
  readonly client: ClientUse;
  readonly machine?: MachineUse;
  readonly series: Series;
  /** Quantiles for the chart: share (0 … 1) and latency in milliseconds. */
  readonly curve: readonly (readonly [share: number, milliseconds: number])[];
  readonly notes: readonly string[];
  /** Only of the scenario import. */
  readonly database?: DatabaseSize;
}

export interface DatabaseSize {
  readonly bytes: number;
  /** Bytes of the events alone, as they are published. */
  readonly jsonBytes: number;
  readonly bytesPerEvent: number;
}

export interface ActionResult {
  readonly name: string;
  readonly done: number;
  readonly perSecond: number;
  readonly latency: Percentiles;
  /** Number of events that came with an answer, on average. */
  readonly itemsPerAnswer: number;
}

export interface RelayUse {
  readonly cpuMicrosecondsPerUnit: number;
  /** Number of processors that it kept busy, on average. */
  readonly cores: number;
  readonly rssStartBytes: number;
  readonly rssEndBytes: number;
  readonly rssPeakBytes: number;
  /** Undefined if the system does not tell. */
  readonly diskBytesPerUnit?: number;
  /** Time that it went on working after the last answer, in seconds. */
  readonly settleSeconds: number;
  readonly bytesPerConnection?: number;
}

export interface ClientUse {
  readonly threads: number;
  /** Shares of the busiest thread: time it had a processor, and time its event loop was busy. */
  readonly cpuShare: number;
  readonly loopShare: number;
  /** Number of processors that the bench kept busy, all its threads together. */
  readonly cores: number;
  /** Delay of paced work that the client itself caused, 99th percentile, in milliseconds. */
  readonly lagP99?: number;
  /** True if a thread had no time left: the relay may do more than was measured. */
  readonly isBottleneck: boolean;
  /** True if paced work was sent late because of the client. */
  readonly isLate: boolean;
}

interface MachineUse {
  readonly cores: number;
  readonly idleShare: number;
  readonly stealShare: number;
}

/** Course of a case over time; one value for each interval from the start of its warm-up on. */
export interface Series {
  readonly intervalSeconds: number;
  readonly warmupSeconds: number;
  readonly perSecond: readonly number[];
  readonly p50: readonly number[];
  readonly p99: readonly number[];
  readonly rss: readonly { readonly seconds: number; readonly bytes: number }[];
}

/** Report of a run; --json writes it. */
export interface RunReport {
  readonly format: 'wok-bench-1';
  readonly startedAt: string;
  readonly command: string;
  readonly ok: boolean;
  readonly interrupted: boolean;
  readonly environment: Environment;
  readonly target: TargetFacts;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  readonly results: readonly CaseResult[];
}

export interface Environment {
  readonly bench: string;
  readonly commit: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
}

/** Description of the relay. */
export interface TargetFacts {
  readonly url: string;
  /** Name, software and version as the relay information document gives them. */
  readonly name: string;
  readonly software: string;
  readonly version: string;
  /** Line of its log with which a started wok names its address and configuration. */
  readonly started?: string;
}
