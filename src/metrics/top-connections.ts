// Top connections by traffic, found by the io thread on request and passed in shared memory.

import { element } from '../lib/assert.ts';
import type { MetricsMemory } from './memory.ts';
import type { TopConnection } from './ring-rows.ts';
import { TextRing, TOP_CONNECTIONS } from './text-ring.ts';

/** Time for which io goes on sampling after a request. */
const WATCH_MILLISECONDS = 10_000;

/** Requests that io samples the top connections for a while. */
export function watchTopConnections({ watch }: MetricsMemory): void {
  new Float64Array(watch)[0] = Date.now() + WATCH_MILLISECONDS;
}

/** Returns true if the top connections were requested lately. */
export function topConnectionsWatched({ watch }: MetricsMemory): boolean {
  return element(new Float64Array(watch)[0]) > Date.now();
}

/** Publishes the top connections found by io, the greatest first; none without requests. */
export function sendTopConnections(
  { topConnections }: MetricsMemory,
  found: readonly TopConnection[],
): void {
  const ring = new TextRing(topConnections, 0, TOP_CONNECTIONS);
  for (let slot = 0; slot < TOP_CONNECTIONS; slot++) {
    const topConnection = found[slot];
    ring.write(slot, topConnection === undefined ? '' : JSON.stringify(topConnection));
  }
}

/** Returns the top connections found by io, the greatest first. */
export function topConnections(memory: MetricsMemory): TopConnection[] {
  return new TextRing(memory.topConnections, 0, TOP_CONNECTIONS)
    .read()
    .map((text) => JSON.parse(text) as TopConnection)
    .sort((a, b) => weight(b) - weight(a));
}

/** Returns the weight of a connection, in bytes: a message counts more than its bytes. */
export function weight({ messages, bytesIn, bytesOut }: Omit<TopConnection, 'ip'>): number {
  return messages * 1024 + bytesIn + bytesOut;
}
