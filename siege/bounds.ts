// Bounds that the relay has to keep during and after a flood, and their check against the figures
// of a run.

import { formatBytes, formatMilliseconds } from '../src/lib/format.ts';

/** Bounds that the relay has to keep, whatever is sent. */
export const bounds = {
  rssBytes: 450e6,
  /**
   * Bound in the short form, where all runs of a flood share a relay, which has no time to give
   * memory back.
   */
  rssBytesShort: 750e6,
  /**
   * Growth of RSS over that at the start that is allowed a minute after the flood, as a share of 1.
   */
  rssGrowth: 0.2,
  p99Milliseconds: 100,
  /** Bound of p99 where flood and relay together saturate the machine. */
  p99SaturatedMilliseconds: 250,
} as const;

/** Shares from which on attackers on the same machine count as saturating it. */
export const saturation = { idleShare: 0.1, attackerShare: 0.2 } as const;

/** Names of the bounds that a run can break. */
export type Bound =
  | 'RSS'
  | 'RSS after'
  | 'publish p99'
  | 'REQ p99'
  | 'served'
  | 'workers'
  | 'lost'
  | 'health'
  | 'answers'
  | 'flood';

/** Broken bound, with a sentence that describes it. */
export interface Breach {
  readonly bound: Bound;
  readonly sentence: string;
}

/** Figures of a run that bounds apply to. */
export interface Figures {
  readonly rssStart: number;
  readonly rssPeak: number;
  readonly rssAfter: number;
  readonly publishP99: number;
  readonly reqP99: number;
  readonly slowest: number;
  readonly isSaturated: boolean;
  readonly workerDeaths: number;
  readonly hasEnded: boolean;
  readonly lost: number;
  readonly undelivered: number;
  readonly deliveredTwice: number;
  readonly refusedBusy: number;
  readonly complaints: Readonly<Record<string, number>>;
  readonly health: string;
  readonly wrong: readonly string[];
  /**
   * Number of the flood's characteristic messages that were sent or answered; 0: the flood did not
   * happen.
   */
  readonly proof: number;
}

/** Strictness of the check of a run. */
interface Judgement {
  /**
   * True to check p99, refusals of a busy relay, and the memory afterwards, and to apply the tight
   * bound of the peak memory: these need time, and a machine of their own.
   */
  readonly speed: boolean;
  /** Longest time that an honest message may take in any case, in milliseconds. */
  readonly patience: number;
}

/** Returns all bounds that a run breaks. */
export function breachesOf(figures: Figures, { speed, patience }: Judgement): Breach[] {
  const found: Breach[] = [];
  const breach = (bound: Bound, sentence: string) => found.push({ bound, sentence });
  const { rssStart, rssPeak, rssAfter } = figures;
  const rssMax = speed ? bounds.rssBytes : bounds.rssBytesShort;
  if (rssPeak > rssMax) {
    breach('RSS', `RSS was ${formatBytes(rssPeak)}, more than ${formatBytes(rssMax)}`);
  }
  if (figures.hasEnded) breach('workers', 'the relay ended');
  if (figures.workerDeaths > 0) breach('workers', `${figures.workerDeaths} workers exited`);
  if (figures.lost > 0) breach('lost', `${figures.lost} acknowledged events are lost`);
  for (const [what, times] of Object.entries(figures.complaints)) {
    breach('served', `${what} (${times} times)`);
  }
  if (figures.undelivered > 0) {
    breach('served', `${figures.undelivered} notes did not reach the honest subscription`);
  }
  if (figures.deliveredTwice > 0) {
    breach('served', `${figures.deliveredTwice} notes reached the honest subscription twice`);
  }
  if (figures.slowest > patience) {
    breach('served', `an honest client waited ${formatMilliseconds(figures.slowest)}`);
  }
  if (figures.health !== 'ok') breach('health', `/health answered afterwards: ${figures.health}`);
  for (const sentence of figures.wrong) breach('answers', sentence);
  if (figures.proof === 0) breach('flood', 'the flood did not reach the relay');
  if (!speed) return found;
  if (figures.refusedBusy > 0) {
    breach('served', `the relay was too busy for honest messages (${figures.refusedBusy} times)`);
  }
  if (rssAfter > rssStart * (1 + bounds.rssGrowth)) {
    breach(
      'RSS after',
      `RSS was ${formatBytes(rssAfter)} a minute later, ${formatBytes(rssStart)} at the start`,
    );
  }
  const p99 = figures.isSaturated ? bounds.p99SaturatedMilliseconds : bounds.p99Milliseconds;
  const beyond = (what: 'publish' | 'REQ', value: number) => {
    if (value <= p99) return;
    breach(
      `${what} p99`,
      `honest ${what} p99 was ${formatMilliseconds(value)}, more than ${formatMilliseconds(p99)}`,
    );
  };
  beyond('publish', figures.publishP99);
  beyond('REQ', figures.reqP99);
  return found;
}
