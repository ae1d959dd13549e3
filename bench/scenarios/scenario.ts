import type { DatasetProfile } from '../dataset/parameters.ts';
import type { Interest } from '../load/job.ts';

/**
 * A scenario is data: what is stored before, what the clients do, what is counted. The code that
 * carries it out (run/, load/) knows no scenario by name.
 */
export interface Scenario {
  /** As it is typed on the command line. */
  readonly name: string;
  readonly title: string;
  /** What it measures and how, in a few sentences; bench/README.md says more. */
  readonly about: string;
  readonly cases: readonly Case[];
  /** Runs by code of its own (run/import.ts) instead of by cases. */
  readonly special?: 'import';
}

/** One measurement. */
export interface Case {
  readonly name: string;
  /** What is counted, in the singular: event, request, delivery, connection. */
  readonly unit: string;
  /** The action (of a part) whose throughput and latency stand for the case. */
  readonly headline: string;
  readonly parts: readonly Part[];
  /** The dataset is stored before. */
  readonly needsStored: boolean;
  /**
   * The measurement ends after this time. Parts that only time ends need it; for the others it is
   * the bound.
   */
  readonly seconds: number;
  /** Left out of the figures: the first seconds, or the first share of the items. */
  readonly warmup: { readonly seconds: number } | { readonly share: number };
  /** The relay may go on working after the last answer (indexing, writing back): it counts, too. */
  readonly settles?: boolean;
  /** What is read back afterwards: accepted events are there, refused ones are not. */
  readonly readBack?: boolean;
  /** Memory is counted for each connection, before against at the end. */
  readonly memoryPerConnection?: boolean;
  /** A long run: the end is compared with the beginning. */
  readonly trend?: boolean;
}

export type Part = PublishPart | QueryPart | SubscribePart | ConnectPart;

/** Which events are published. */
export interface Source {
  readonly profile: DatasetProfile;
  /** Added to the seed: another number gives other people and other events. */
  readonly seedOffset: number;
  /** How many, as a share of --events; of a part with a rate the rate decides. */
  readonly share: number;
}

export interface PublishPart {
  readonly part: 'publish';
  readonly action: string;
  readonly source: Source;
  /**
   * What is made of them. fresh: each once. again: each was stored before. invalid: one digit of each
   * signature is changed. versions: any OK is right, but the newest versions must be what is stored
   * at the end. mixed: 70 % fresh, 20 % again, 10 % invalid.
   */
  readonly as: 'fresh' | 'again' | 'invalid' | 'versions' | 'mixed';
  readonly connections: number;
  readonly inFlight: number;
  /** Events a second, whatever the relay does; absent: as fast as answers come. */
  readonly rate?: number;
}

/** A filter whose open places are filled from the dataset, popular values more often. */
export interface FilterTemplate {
  readonly ids?: 'one';
  /** One author, or so many. */
  readonly authors?: 'one' | number;
  readonly kinds?: readonly number[];
  readonly '#e'?: 'thread';
  readonly '#p'?: 'person';
  readonly '#t'?: 'hashtag' | 'nothing';
  /** The pages of a walk from the newest to the oldest, one after the other. */
  readonly until?: 'page';
  readonly limit?: number;
}

export interface Shape {
  /** The action that it is counted as. */
  readonly action: string;
  readonly weight: number;
  readonly filter: FilterTemplate;
}

export interface QueryPart {
  readonly part: 'query';
  readonly verb: 'REQ' | 'COUNT';
  readonly shapes: readonly Shape[];
  /** How many different requests are prepared; they are sent over and over. */
  readonly distinct: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly rate?: number;
  /** Others publish meanwhile, so that an answer may hold more than the dataset says. */
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
