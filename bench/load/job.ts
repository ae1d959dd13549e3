import type { Target } from '../client/target.ts';
import type { SharedDataset } from '../dataset/dataset.ts';
import type { HistogramData } from '../figures/histogram.ts';
import type { TallyData } from './tally.ts';

/** What answer to a published event is right. */
export const EXPECT_ACCEPTED = 0;
/** Stored before: OK true, whatever the text. */
export const EXPECT_DUPLICATE = 1;
/** The signature is made wrong on its way out: OK false. */
export const EXPECT_REFUSED = 2;
/** A version of something replaceable, which may come too late: any OK. */
export const EXPECT_EITHER = 3;

/** The events that all threads publish, in this order. */
export interface SharedItems {
  readonly dataset: SharedDataset;
  /** Uint32 for each item: its line in the dataset. */
  readonly lines: SharedArrayBuffer;
  /** Uint8 for each item: one of the constants above. */
  readonly expected: SharedArrayBuffer;
  /** Float64 for each item: the moment from which its latency counts, by clock.ts; 0 before. */
  readonly sentAt: SharedArrayBuffer;
  /** Uint8 for each item: 1 when the relay said OK true. */
  readonly accepted: SharedArrayBuffer;
}

/** Publishes items: as fast as the answers come, or at a rate. */
export interface PublishJob {
  readonly part: 'publish';
  readonly action: string;
  readonly items: SharedItems;
  /** Which of the control's cursors counts the items taken. */
  readonly cursor: number;
  readonly connections: number;
  /** Events of one connection that wait for their OK. */
  readonly inFlight: number;
  /** Events a second of this thread; 0: as fast as possible. */
  readonly rate: number;
  /** The figures begin after this item; undefined when they begin at a time. */
  readonly warmupItems?: number;
}

/** A request, ready to be sent. */
export interface PreparedRequest {
  readonly action: string;
  /** The filters as JSON, separated by commas. */
  readonly filters: string;
  /** How many events, or what count, the answer must have. */
  readonly min: number;
  readonly max: number;
}

/** Sends REQ or COUNT: as fast as the answers come, or at a rate. */
export interface QueryJob {
  readonly part: 'query';
  readonly verb: 'REQ' | 'COUNT';
  readonly requests: readonly PreparedRequest[];
  readonly connections: number;
  readonly inFlight: number;
  readonly rate: number;
  readonly timeoutMilliseconds: number;
}

/** A live subscription wants one of these; events are those of the items. */
export type Interest =
  | { readonly of: 'all' }
  | { readonly of: 'authors'; readonly count: number }
  | { readonly of: 'mentions' }
  | { readonly of: 'hashtag' };

/** Holds live subscriptions and checks that each gets what it must, once. */
export interface SubscribeJob {
  readonly part: 'subscribe';
  readonly action: string;
  readonly items: SharedItems;
  readonly subscriptions: number;
  readonly connections: number;
  /** With what probability a subscription has which interest; the weights add up to 1. */
  readonly interests: readonly { readonly weight: number; readonly interest: Interest }[];
  /** All subscriptions have the same id, or each has its own. */
  readonly ids: 'same' | 'own';
  /** These connections stop reading while the run lasts. */
  readonly slow: boolean;
  readonly seed: number;
}

/** Opens connections: all of them and holds them, or at a rate and for one question each. */
export interface ConnectJob {
  readonly part: 'connect';
  readonly action: string;
  readonly connections: number;
  /** Handshakes at the same time. */
  readonly concurrency: number;
  /** Connections a second of this thread; 0: as fast as `concurrency` lets. */
  readonly rate: number;
  /** Each connection asks this; undefined: nothing. */
  readonly filter?: string;
  /** How long they stay once all are open. */
  readonly holdSeconds: number;
}

export type PartJob = PublishJob | QueryJob | SubscribeJob | ConnectJob;

/** What one thread does in one run. */
export interface LoadJob {
  readonly target: Target;
  readonly thread: number;
  readonly threads: number;
  readonly control: SharedArrayBuffer;
  readonly parts: readonly PartJob[];
  /** The action whose course over time is kept. */
  readonly headline: string;
  readonly intervalMilliseconds: number;
  /** How long answers may take to come after the end. */
  readonly graceMilliseconds: number;
}

/** What one thread says at the end. */
export interface LoadReport {
  readonly tally: TallyData;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Share of the time in which the thread's loop was busy, and in which it had a processor. */
  readonly loopShare: number;
  readonly cpuShare: number;
  /** How late a paced part was by its own fault, in microseconds. */
  readonly lag: HistogramData;
}
