// Preparation of a case: datasets, requests with their right answers, and the job of each thread.

import type { Dataset } from '../dataset/dataset.ts';
import type { PartJob, SharedItems } from '../load/job.ts';
import type {
  Case,
  ConnectPart,
  PublishPart,
  QueryPart,
  SubscribePart,
} from '../scenarios/scenario.ts';
import type { Datasets } from './datasets.ts';
import { itemsOf } from './items.ts';
import type { RunParameters } from './parameters.ts';
import { type RelayTraits, RequestMaker } from './requests.ts';

const REQUEST_TIMEOUT_MILLISECONDS = 30_000;
/** Sizes of datasets that a rate asks for are rounded up to this, so that the cache is of use. */
const ROUND_EVENTS = 1000;

/** Case with everything its threads need. */
export interface Prepared {
  /** Parts of each thread. */
  readonly jobs: readonly (readonly PartJob[])[];
  /** Published events and the part that publishes them; absent if none are. */
  readonly publishing?: Publishing;
}

export interface Publishing {
  readonly part: PublishPart;
  readonly dataset: Dataset;
  readonly items: SharedItems;
}

/** Gets the datasets, makes the requests and their answers, and divides all among the threads. */
export async function prepare(
  of: Case,
  parameters: RunParameters,
  datasets: Datasets,
  traits: RelayTraits,
): Promise<Prepared> {
  const { threads } = parameters;
  const jobs: PartJob[][] = Array.from({ length: threads }, () => []);
  const add = (share: (thread: number) => PartJob) => {
    for (const [thread, parts] of jobs.entries()) parts.push(share(thread));
  };
  const publisher = of.parts.find((part) => part.part === 'publish');
  const publishing =
    publisher === undefined ? undefined : await publishingOf(publisher, of, parameters, datasets);
  for (const part of of.parts) {
    switch (part.part) {
      case 'publish':
        add(publishShares(part, publishing!.items, of, threads));
        break;
      case 'subscribe':
        if (publishing === undefined)
          throw new Error(`${of.name} subscribes, but no client publishes`);
        add(subscribeShares(part, publishing.items, parameters));
        break;
      case 'query':
        add(queryShares(part, await datasets.stored(), parameters, traits));
        break;
      case 'connect':
        add(connectShares(part, threads));
        break;
    }
  }
  return publishing === undefined ? { jobs } : { jobs, publishing };
}

async function publishingOf(
  part: PublishPart,
  { seconds, warmup }: Case,
  { events, seed, freshSeedOffset = 0 }: RunParameters,
  datasets: Datasets,
): Promise<Publishing> {
  const { profile, seedOffset, share } = part.source;
  const warmupSeconds = 'seconds' in warmup ? warmup.seconds : 0;
  const due = Math.ceil((part.rate ?? 0) * (seconds + warmupSeconds)) + 1;
  const count =
    part.rate === undefined
      ? Math.max(Math.round(events * share), 100)
      : Math.ceil(due / ROUND_EVENTS) * ROUND_EVENTS;
  const dataset = await datasets.get(
    profile,
    seedOffset + (part.as === 'again' ? 0 : freshSeedOffset),
    count,
  );
  return { part, dataset, items: itemsOf(dataset, part.as, seed) };
}

function publishShares(part: PublishPart, items: SharedItems, of: Case, threads: number) {
  const { action, connections, inFlight, rate = 0 } = part;
  const count = items.accepted.byteLength;
  // Threads beyond the last connection have none, and no share of the rate.
  const working = Math.min(threads, connections);
  const warmupItems = 'share' in of.warmup ? Math.floor(count * of.warmup.share) : undefined;
  return (thread: number): PartJob => ({
    part: 'publish',
    action,
    items,
    cursor: 0,
    connections: shareOf(connections, thread, threads),
    inFlight,
    rate: thread < working ? rate / working : 0,
    ...(warmupItems === undefined ? {} : { warmupItems }),
  });
}

function subscribeShares(part: SubscribePart, items: SharedItems, parameters: RunParameters) {
  const { action, subscriptions, connections, interests, ids, slow = false } = part;
  const { threads, seed } = parameters;
  return (thread: number): PartJob => ({
    part: 'subscribe',
    action,
    items,
    subscriptions: shareOf(subscriptions, thread, threads),
    connections: shareOf(connections, thread, threads),
    interests,
    ids,
    slow,
    seed,
  });
}

function queryShares(
  part: QueryPart,
  dataset: Dataset,
  { threads, seed }: RunParameters,
  traits: RelayTraits,
) {
  const { verb, connections, inFlight, rate = 0 } = part;
  const requests = new RequestMaker(dataset, seed, traits).requests(part);
  const working = Math.min(threads, connections);
  return (thread: number): PartJob => ({
    part: 'query',
    verb,
    requests: requests.filter((_, at) => at % working === thread % working),
    connections: shareOf(connections, thread, threads),
    inFlight,
    rate: thread < working ? rate / working : 0,
    timeoutMilliseconds: REQUEST_TIMEOUT_MILLISECONDS,
  });
}

function connectShares(part: ConnectPart, threads: number) {
  const { action, connections, concurrency, rate = 0, filter, holdSeconds } = part;
  return (thread: number): PartJob => ({
    part: 'connect',
    action,
    connections: shareOf(connections, thread, threads),
    concurrency: Math.max(shareOf(concurrency, thread, threads), 1),
    rate: rate / threads,
    holdSeconds,
    ...(filter === undefined ? {} : { filter }),
  });
}

/** Returns the share of a thread in `count`. */
function shareOf(count: number, thread: number, threads: number): number {
  return Math.floor(count / threads) + (thread < count % threads ? 1 : 0);
}
