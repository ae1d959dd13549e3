import type { Percentiles } from '../figures/histogram.ts';

/** What one case came to. Times are seconds or, in latencies, milliseconds; sizes are bytes. */
export interface CaseResult {
  readonly scenario: string;
  readonly name: string;
  /** What is counted: event, request, delivery, connection. */
  readonly unit: string;
  readonly headline: string;
  /** No wrong answer, and something was measured. */
  readonly ok: boolean;
  /** Ctrl-C came before the end. */
  readonly interrupted: boolean;
  /** Length of the measurement, warm-up left out. */
  readonly seconds: number;
  readonly done: number;
  readonly perSecond: number;
  /** From where a latency counts: paced work has a moment at which it was due. */
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
  /** Upper share (0 … 1) and latency in milliseconds, for the chart. */
  readonly curve: readonly (readonly [share: number, milliseconds: number])[];
  readonly notes: readonly string[];
  /** Of the scenario import. */
  readonly database?: DatabaseSize;
}

export interface DatabaseSize {
  readonly bytes: number;
  /** Of the events alone, as they are published. */
  readonly jsonBytes: number;
  readonly bytesPerEvent: number;
}

export interface ActionResult {
  readonly name: string;
  readonly done: number;
  readonly perSecond: number;
  readonly latency: Percentiles;
  /** Events that came with an answer, on average. */
  readonly itemsPerAnswer: number;
}

export interface RelayUse {
  readonly cpuMicrosecondsPerUnit: number;
  /** Processors that it kept busy, on average. */
  readonly cores: number;
  readonly rssStartBytes: number;
  readonly rssEndBytes: number;
  readonly rssPeakBytes: number;
  /** Undefined where the system does not tell. */
  readonly diskBytesPerUnit?: number;
  /** How long it went on working after the last answer. */
  readonly settleSeconds: number;
  readonly bytesPerConnection?: number;
}

export interface ClientUse {
  readonly threads: number;
  /** Of the busiest thread: share of the time it had a processor, and its loop was busy. */
  readonly cpuShare: number;
  readonly loopShare: number;
  /** Processors that the bench kept busy, all its threads together. */
  readonly cores: number;
  /** How late paced work was sent at the 99th percentile by the client's own fault, milliseconds. */
  readonly lagP99?: number;
  /** A thread had no time left: the relay may do more than was measured. */
  readonly isBottleneck: boolean;
  /** Paced work left late by the client's own fault. */
  readonly isLate: boolean;
}

export interface MachineUse {
  readonly cores: number;
  readonly idleShare: number;
  readonly stealShare: number;
}

/** The course of a case; one value for each interval from the start of its warm-up on. */
export interface Series {
  readonly intervalSeconds: number;
  readonly warmupSeconds: number;
  readonly perSecond: readonly number[];
  readonly p50: readonly number[];
  readonly p99: readonly number[];
  readonly rss: readonly { readonly seconds: number; readonly bytes: number }[];
}

/** Everything that a run has to say; what --json writes. */
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

/** What is known of the relay. */
export interface TargetFacts {
  readonly url: string;
  /** Name, software and version as the relay information document gives them. */
  readonly name: string;
  readonly software: string;
  readonly version: string;
  /** The line with which a started wok says how it runs. */
  readonly started?: string;
}
