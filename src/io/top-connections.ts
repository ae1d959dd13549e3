// Ranking of connections by traffic for `wok top`, in the main thread.

import { sharedMilliseconds } from '../lib/clock.ts';
import type { MetricsMemory } from '../metrics/memory.ts';
import type { TopConnection } from '../metrics/ring-rows.ts';
import { TOP_CONNECTIONS } from '../metrics/text-ring.ts';
import { sendTopConnections, topConnectionsWatched, weight } from '../metrics/top-connections.ts';
import type { Connection } from './connection.ts';

const LOOK_MILLISECONDS = 1_000;

/**
 * Sampler of the top connections by traffic, once a second while a `wok top` asks for them. Without
 * one it only checks for a reader.
 */
export class TopConnections {
  readonly #memory: MetricsMemory;
  readonly #connections: ReadonlyMap<number, Connection>;
  readonly #timer: NodeJS.Timeout;
  /** Traffic counters of every connection at the last sample; null if no reader was there. */
  #before: Map<number, [number, number, number]> | null = null;
  #lookedAt = 0;

  constructor(memory: MetricsMemory, connections: ReadonlyMap<number, Connection>) {
    this.#memory = memory;
    this.#connections = connections;
    this.#timer = setInterval(() => this.#look(), LOOK_MILLISECONDS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (!topConnectionsWatched(this.#memory)) {
      if (this.#before !== null) sendTopConnections(this.#memory, []);
      this.#before = null;
      return;
    }
    const now = sharedMilliseconds();
    const seconds = (now - this.#lookedAt) / 1000;
    const before = this.#before;
    this.#before = new Map();
    this.#lookedAt = now;
    const found: TopConnection[] = [];
    for (const connection of this.#connections.values()) {
      const { id, received, receivedBytes, sentBytes } = connection;
      this.#before.set(id, [received, receivedBytes, sentBytes]);
      const [messages, bytesIn, bytesOut] = before?.get(id) ?? [0, 0, 0];
      if (before === null || received + sentBytes === messages + bytesOut) continue;
      found.push({
        connection: id,
        ip: connection.ip,
        age: Math.round((now - connection.openedAt) / 1000),
        messages: (received - messages) / seconds,
        bytesIn: (receivedBytes - bytesIn) / seconds,
        bytesOut: (sentBytes - bytesOut) / seconds,
        inFlight: connection.inFlight,
        subscriptions: connection.subscriptions,
      });
    }
    found.sort((a, b) => weight(b) - weight(a));
    if (before !== null) sendTopConnections(this.#memory, found.slice(0, TOP_CONNECTIONS));
  }
}
