// Top connections by traffic, found by the io thread on request and passed in shared memory.

import type { MetricsMemory } from './memory.ts';
import type { Talker } from './ring-rows.ts';
import { TALKERS, TextRing } from './text-ring.ts';

/** Time for which io goes on sampling after a request. */
const WATCH_MILLISECONDS = 10_000;

/** Requests that io samples the top connections for a while. */
export function watchTalkers({ watch }: MetricsMemory): void {
  new Float64Array(watch)[0] = Date.now() + WATCH_MILLISECONDS;
}

/** Returns true if the top connections were requested lately. */
export function talkersWatched({ watch }: MetricsMemory): boolean {
  return new Float64Array(watch)[0]! > Date.now();
}

/** Publishes the top connections found by io, the greatest first; none without requests. */
export function tellTalkers({ talkers }: MetricsMemory, found: readonly Talker[]): void {
  const ring = new TextRing(talkers, 0, TALKERS);
  for (let slot = 0; slot < TALKERS; slot++) {
    const talker = found[slot];
    ring.write(slot, talker === undefined ? '' : JSON.stringify(talker));
  }
}

/** Returns the top connections found by io, the greatest first. */
export function talkers(memory: MetricsMemory): Talker[] {
  return new TextRing(memory.talkers, 0, TALKERS)
    .read()
    .map((text) => JSON.parse(text) as Talker)
    .sort((a, b) => weight(b) - weight(a));
}

/** Returns the weight of a connection, in bytes: a message counts more than its bytes. */
export function weight({ messages, bytesIn, bytesOut }: Omit<Talker, 'ip'>): number {
  return messages * 1024 + bytesIn + bytesOut;
}
