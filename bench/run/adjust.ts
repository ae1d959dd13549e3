// Numbers of a case, adjusted to the flags of the run.

import type { Case, Part } from '../scenarios/scenario.ts';
import {
  type RunParameters,
  SHORT_DISTINCT,
  SHORT_DIVISOR,
  SHORT_MIN,
  SHORT_RATE,
  SHORT_SECONDS,
  SHORT_WARMUP_SECONDS,
} from './parameters.ts';

/** Returns a case with the numbers of --short, then of the overrides. */
export function adjusted(original: Case, { short, overrides }: RunParameters): Case {
  const small = short ? shortened(original) : original;
  const seconds = overrides.seconds ?? small.seconds;
  return {
    ...small,
    seconds,
    parts: small.parts.map((part) => overridden(part, small, overrides)),
  };
}

function shortened(original: Case): Case {
  const { warmup } = original;
  const isBounded = 'share' in warmup;
  return {
    ...original,
    settles: false,
    // A case that ends by itself keeps its bound.
    seconds: isBounded ? original.seconds : SHORT_SECONDS,
    warmup: isBounded ? warmup : { seconds: Math.min(warmup.seconds, SHORT_WARMUP_SECONDS) },
    parts: original.parts.map(shortenedPart),
  };
}

function shortenedPart(part: Part): Part {
  if (part.part === 'subscribe') {
    const { subscriptions, connections } = part;
    return { ...part, subscriptions: fewer(subscriptions), connections: fewer(connections) };
  }
  const slower = part.rate === undefined ? {} : { rate: Math.min(part.rate, SHORT_RATE) };
  if (part.part === 'publish') return { ...part, ...slower };
  if (part.part === 'query') {
    return { ...part, ...slower, distinct: Math.min(part.distinct, SHORT_DISTINCT) };
  }
  const holdSeconds = Math.min(part.holdSeconds, SHORT_SECONDS);
  return { ...part, ...slower, connections: fewer(part.connections), holdSeconds };
}

function fewer(count: number): number {
  return Math.max(Math.floor(count / SHORT_DIVISOR), Math.min(count, SHORT_MIN));
}

/**
 * Applies the overrides to a part. --connections and --in-flight change the parts of the headline
 * action; --rate changes parts that have a rate, or the only part of the case; --subscriptions
 * changes subscriptions.
 */
function overridden(
  part: Part,
  { headline, parts }: Case,
  overrides: RunParameters['overrides'],
): Part {
  const { connections, inFlight, rate, subscriptions } = overrides;
  const isHead = headlineOf(part).includes(headline);
  const more = isHead && connections !== undefined ? { connections } : {};
  if (part.part === 'subscribe') {
    const wanted = subscriptions ?? part.subscriptions;
    // With one id for all, each subscription needs a connection of its own.
    const needed = part.ids === 'same' ? { connections: wanted } : more;
    return { ...part, ...needed, subscriptions: wanted };
  }
  const isPaced = part.rate !== undefined || parts.length === 1;
  const paced = rate !== undefined && isPaced ? { rate } : {};
  if (part.part === 'connect') return { ...part, ...more, ...paced };
  const wider = isHead && inFlight !== undefined ? { inFlight } : {};
  return { ...part, ...more, ...paced, ...wider };
}

function headlineOf(part: Part): readonly string[] {
  return part.part === 'query' ? part.shapes.map(({ action }) => action) : [part.action];
}
