import { sharedMilliseconds } from '../lib/clock.ts';
import type { MetricsMemory } from '../metrics/meter.ts';
import type { Talker } from '../metrics/ring-rows.ts';
import { talkersWatched, tellTalkers, weight } from '../metrics/talkers.ts';
import { TALKERS } from '../metrics/text-ring.ts';
import type { Connection } from './connection.ts';

const LOOK_MILLISECONDS = 1_000;

/**
 * Finds the connections that send and receive most, once a second, while somebody wants to know
 * (`wok top`); nobody does, as a rule, and then it costs nothing.
 */
export class Talkers {
  readonly #memory: MetricsMemory;
  readonly #connections: ReadonlyMap<number, Connection>;
  readonly #timer: NodeJS.Timeout;
  /** What every connection had sent and received at the last look; null: nobody was looking. */
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
    if (!talkersWatched(this.#memory)) {
      if (this.#before !== null) tellTalkers(this.#memory, []);
      this.#before = null;
      return;
    }
    const now = sharedMilliseconds();
    const seconds = (now - this.#lookedAt) / 1000;
    const before = this.#before;
    this.#before = new Map();
    this.#lookedAt = now;
    const found: Talker[] = [];
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
    if (before !== null) tellTalkers(this.#memory, found.slice(0, TALKERS));
  }
}
