// Messages between the main thread and a load thread: the job of a run and the report on it.

import type { Target } from '../client/target.ts';
import type { SharedDataset } from '../dataset/dataset.ts';
import type { HistogramData } from '../figures/histogram.ts';
import type { TallyData } from './tally.ts';

/** Right answers to a published event. OK true, not as a duplicate. */
export const EXPECT_ACCEPTED = 0;
/** Stored before: OK true, whatever the text. */
export const EXPECT_DUPLICATE = 1;
/** Sent with a changed signature: OK false. */
export const EXPECT_REFUSED = 2;
/** Version of a replaceable event, which may come too late: any OK. */
export const EXPECT_EITHER = 3;

/** Events that all threads publish, in this order. */
export interface SharedItems {
  readonly dataset: SharedDataset;
  /** Uint32 for each item: its line in the dataset. */
  readonly lines: SharedArrayBuffer;
  /** Uint8 for each item: one of the constants above. */
  readonly expected: SharedArrayBuffer;
  /** Float64 for each item: time from which its latency counts, by clock.ts; 0 before. */
  readonly sentAt: SharedArrayBuffer;
  /** Uint8 for each item: 1 when the relay said OK true. */
  readonly accepted: SharedArrayBuffer;
}

/** Job that publishes items: as fast as the answers come, or at a rate. */
export interface PublishJob {
  readonly part: 'publish';
  readonly action: string;
  readonly items: SharedItems;
  /** Index of the control's cursor from which items are taken. */
  readonly cursor: number;
  readonly connections: number;
  /** Number of events of one connection that wait for their OK. */
  readonly inFlight: number;
  /** Events a second of this thread; 0: as fast as possible. */
  readonly rate: number;
  /** Number of items of the warm-up; undefined when the warm-up ends at a time. */
  readonly warmupItems?: number;
}

/** Request that is ready to be sent, with its right answer. */
export interface PreparedRequest {
  readonly action: string;
  /** Filters as JSON, separated by commas. */
  readonly filters: string;
  /** Bounds of the number of events in the answer, or of the count. */
  readonly min: number;
  readonly max: number;
}

/** Job that sends REQ or COUNT: as fast as the answers come, or at a rate. */
export interface QueryJob {
  readonly part: 'query';
  readonly verb: 'REQ' | 'COUNT';
  readonly requests: readonly PreparedRequest[];
  readonly connections: number;
  readonly inFlight: number;
  readonly rate: number;
  readonly timeoutMilliseconds: number;
}

/** Condition of a live subscription; its values are drawn from the items. */
export type Interest =
  | { readonly of: 'all' }
  | { readonly of: 'authors'; readonly count: number }
  | { readonly of: 'mentions' }
  | { readonly of: 'hashtag' };

/** Job that holds live subscriptions and checks that each gets every matching event once. */
export interface SubscribeJob {
  readonly part: 'subscribe';
  readonly action: string;
  readonly items: SharedItems;
  readonly subscriptions: number;
  readonly connections: number;
  /** Probability of each interest; the weights add up to 1. */
  readonly interests: readonly { readonly weight: number; readonly interest: Interest }[];
  /** Subscription ids: the same one for all, or one for each. */
  readonly ids: 'same' | 'own';
  /** True if these connections stop reading while the run lasts. */
  readonly slow: boolean;
  readonly seed: number;
}

/** Job that opens connections: all of them, to hold them, or at a rate and for one REQ each. */
export interface ConnectJob {
  readonly part: 'connect';
  readonly action: string;
  readonly connections: number;
  /** Number of handshakes at the same time. */
  readonly concurrency: number;
  /** Connections a second of this thread; 0: as fast as `concurrency` lets. */
  readonly rate: number;
  /** Filter of the REQ on each connection; undefined: none is sent. */
  readonly filter?: string;
  /** Time that connections are held once all are open, in seconds. */
  readonly holdSeconds: number;
}

export type PartJob = PublishJob | QueryJob | SubscribeJob | ConnectJob;

/** Job of one thread in one run. */
export interface LoadJob {
  readonly target: Target;
  readonly thread: number;
  readonly threads: number;
  readonly control: SharedArrayBuffer;
  readonly parts: readonly PartJob[];
  /** Name of the action that keeps intervals for the charts over time. */
  readonly headline: string;
  readonly intervalMilliseconds: number;
  /** Time that answers may take after the end, in milliseconds. */
  readonly graceMilliseconds: number;
}

/** Report of one thread at the end of a run. */
export interface LoadReport {
  readonly tally: TallyData;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /**
   * Shares of the time in which the thread's event loop was busy, and in which it had a processor.
   */
  readonly loopShare: number;
  readonly cpuShare: number;
  /** Delays of paced parts that the thread itself caused, in microseconds. */
  readonly lag: HistogramData;
}
