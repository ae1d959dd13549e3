// Types in which scenarios are written, as data.

import type { DatasetProfile } from '../dataset/parameters.ts';
import type { Interest } from '../load/job.ts';

/**
 * Scenario as data: events stored before, work of the clients, unit that is counted. The code that
 * runs it (run/, load/) knows no scenario by name, except for `special`.
 */
export interface Scenario {
  /** Name on the command line. */
  readonly name: string;
  readonly title: string;
  /** Description in a few sentences; bench/README.md says more. */
  readonly about: string;
  readonly cases: readonly Case[];
  /** Scenario that runs by code of its own (run/import.ts, run/sync.ts) instead of by cases. */
  readonly special?: 'import' | 'sync';
}

/** One measurement. */
export interface Case {
  readonly name: string;
  /** Unit that is counted, in the singular: event, request, delivery, connection. */
  readonly unit: string;
  /** Action (of a part) whose throughput and latency are the figures of the case. */
  readonly headline: string;
  readonly parts: readonly Part[];
  /** True if the dataset is stored before. */
  readonly needsStored: boolean;
  /** Seconds of the measurement; only the bound, if the parts end by themselves. */
  readonly seconds: number;
  /** Warm-up, left out of the figures: the first seconds, or the first share of the items. */
  readonly warmup: { readonly seconds: number } | { readonly share: number };
  /** True if work of the relay after the last answer (indexing, writing back) counts, too. */
  readonly settles?: boolean;
  /**
   * True if events are read back afterwards: accepted ones must be there, refused ones must not.
   */
  readonly readBack?: boolean;
  /** True if memory is divided by the connections: before against at the end. */
  readonly memoryPerConnection?: boolean;
  /** True for a long run, the end of which is compared with the beginning. */
  readonly trend?: boolean;
}

export type Part = PublishPart | QueryPart | SubscribePart | ConnectPart;

/** Source of the events that are published. */
interface Source {
  readonly profile: DatasetProfile;
  /** Added to the seed: another number gives other authors and other events. */
  readonly seedOffset: number;
  /**
   * Number of events, as a share of --events; a part with a rate takes as many as the rate needs.
   */
  readonly share: number;
}

export interface PublishPart {
  readonly part: 'publish';
  readonly action: string;
  readonly source: Source;
  /**
   * Use of the events. fresh: each once. again: each was stored before. invalid: one digit of each
   * signature is changed. versions: any OK is right, but the newest versions must be what is stored
   * at the end. mixed: 70 % fresh, 20 % again, 10 % invalid.
   */
  readonly as: 'fresh' | 'again' | 'invalid' | 'versions' | 'mixed';
  readonly connections: number;
  readonly inFlight: number;
  /** Events a second, whatever the relay does; absent: as fast as answers come. */
  readonly rate?: number;
}

/** Filter with placeholders that are filled from the dataset, popular values more often. */
export interface FilterTemplate {
  readonly ids?: 'one';
  /** One author, or this many. */
  readonly authors?: 'one' | number;
  readonly kinds?: readonly number[];
  readonly '#e'?: 'thread';
  readonly '#p'?: 'person';
  readonly '#t'?: 'hashtag' | 'nothing';
  /** Pages of a walk from the newest to the oldest, one after the other. */
  readonly until?: 'page';
  readonly limit?: number;
}

interface Shape {
  /** Name of the action under which it is counted. */
  readonly action: string;
  readonly weight: number;
  readonly filter: FilterTemplate;
}

export interface QueryPart {
  readonly part: 'query';
  readonly verb: 'REQ' | 'COUNT';
  readonly shapes: readonly Shape[];
  /** Number of different requests that are prepared; they are sent over and over. */
  readonly distinct: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly rate?: number;
  /**
   * True if other parts publish meanwhile, so that an answer may hold more than the dataset says.
   */
  readonly grows?: boolean;
}

export interface SubscribePart {
  readonly part: 'subscribe';
  readonly action: string;
  readonly subscriptions: number;
  readonly connections: number;
  readonly interests: readonly { readonly weight: number; readonly interest: Interest }[];
  readonly ids: 'same' | 'own';
  readonly slow?: boolean;
}

export interface ConnectPart {
  readonly part: 'connect';
  readonly action: string;
  readonly connections: number;
  readonly concurrency: number;
  readonly rate?: number;
  readonly filter?: string;
  readonly holdSeconds: number;
}
