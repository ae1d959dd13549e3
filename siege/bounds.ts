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
  /** Bound of p99 if the time in which the flood saturates the machine is included. */
  p99SaturatedMilliseconds: 250,
} as const;

/**
 * Shares of a window from which on attackers on the same machine count as saturating it: those of
 * the machine that are idle, less, and that the attackers use, more.
 */
export const saturation = { idleShare: 0.1, attackerShare: 0.1 } as const;

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
  /** Those of the messages outside of the time in which the machine was saturated. */
  readonly unsaturatedPublishP99: number;
  readonly unsaturatedReqP99: number;
  readonly slowest: number;
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
  const beyond = (what: 'publish' | 'REQ', value: number, max: number, where = '') => {
    if (value <= max) return false;
    const sentence = `honest ${what} p99 was ${formatMilliseconds(value)}${where}, more than ${formatMilliseconds(max)}`;
    breach(`${what} p99`, sentence);
    return true;
  };
  const { p99SaturatedMilliseconds: max, p99Milliseconds: unsaturatedMax } = bounds;
  const where = ' while the machine was not saturated';
  for (const [what, p99, unsaturatedP99] of [
    ['publish', figures.publishP99, figures.unsaturatedPublishP99],
    ['REQ', figures.reqP99, figures.unsaturatedReqP99],
  ] as const) {
    if (!beyond(what, p99, max)) beyond(what, unsaturatedP99, unsaturatedMax, where);
  }
  return found;
}
