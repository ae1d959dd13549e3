// An hour of a relay's life: clients that come and go, publish generated events and ask for them,
// paced by a clock.

import { Random } from '../../bench/dataset/random.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Client } from '../support/client.ts';
import { delay } from '../support/process.ts';
import type { Generated } from './community.ts';
import { type FastClock, timeOf } from './fast-clock.ts';

const HOUR = 3_600_000;
const TICK_MILLISECONDS = 25;
const CONNECTIONS = 120;
const QUERIES_A_SECOND = 6;
/** Share of events whose signature is damaged, so that something is refused. */
const DAMAGED = 0.01;
const SEED = 11;

/** Times, clients and events of the hour. */
export interface HourOptions {
  readonly url: string;
  readonly clock: FastClock;
  readonly generated: Generated;
  /** Index of the first event that is published; those before it are stored already. */
  readonly first: number;
  /** Number of events a second. */
  readonly perSecond: number;
}

/** Load that goes on until `stop`; all that it does follows from the seed and the clock. */
export class Hour {
  readonly #options: HourOptions;
  readonly #random = new Random(SEED);
  readonly #start: number;
  readonly #clients: Client[] = [];
  readonly #ended: Promise<void>;
  #stopped = false;
  #next: number;
  #asked = 0;
  #arrived = 0;

  constructor(options: HourOptions) {
    this.#options = options;
    this.#next = options.first;
    this.#start = timeOf(options.clock);
    this.#ended = this.#run();
  }

  /** Number of events that were sent. */
  get sent(): number {
    return this.#next - this.#options.first;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
    for (const { socket } of this.#clients) socket.terminate();
  }

  async #run(): Promise<void> {
    const { first, perSecond, generated } = this.#options;
    while (!this.#stopped) {
      const passed = timeOf(this.#options.clock) - this.#start;
      const wave = waveOf(passed / HOUR);
      await this.#staff(Math.round(CONNECTIONS * (0.5 + 0.5 * wave.slope)));
      const due = Math.min(
        generated.count,
        first + Math.floor((wave.area * perSecond * HOUR) / 1000),
      );
      while (this.#next < due) this.#publish(generated.event(this.#next++));
      const queries = (wave.area * QUERIES_A_SECOND * HOUR) / 1000;
      while (this.#asked < queries) this.#ask();
      await delay(TICK_MILLISECONDS);
    }
  }

  /** Opens or closes connections until there are this many; some leave for others to come. */
  async #staff(wanted: number): Promise<void> {
    if (this.#random.chance(0.05)) this.#clients.shift()?.socket.close();
    while (this.#clients.length > wanted) this.#clients.shift()!.socket.close();
    while (this.#clients.length < wanted) this.#clients.push(await this.#arrive());
  }

  async #arrive(): Promise<Client> {
    const number = this.#arrived++;
    const address = number % 3 === 0 ? `2001:db8:${number}::7` : `203.0.113.${1 + (number % 250)}`;
    const client = await Client.connect(this.#options.url, {
      headers: { 'X-Forwarded-For': address },
    });
    client.tap = () => true;
    const authors = Array.from({ length: 40 }, () => this.#some().pubkey);
    client.send(['REQ', 'feed', { kinds: [1, 6, 30_023], authors, limit: 40 }]);
    client.send(['REQ', 'mine', { kinds: [1, 7, 9735], '#p': [authors[0]!], limit: 20 }]);
    if (number % 5 === 0) client.send(['REQ', 'all', { kinds: [1], limit: 20 }]);
    return client;
  }

  #publish(event: NostrEvent): void {
    const isDamaged = this.#random.chance(DAMAGED);
    const sig = isDamaged ? event.sig.replace(/^.{8}/, '00000000') : event.sig;
    this.#random.pick(this.#clients).send(['EVENT', { ...event, sig }]);
  }

  #ask(): void {
    const event = this.#some();
    const filter = this.#random.pick([
      { kinds: [0], authors: [event.pubkey] },
      { ids: [event.id] },
      { kinds: [1, 7], '#e': [event.id], limit: 50 },
      { kinds: [1], authors: [event.pubkey], limit: 30 },
      { kinds: [1], '#t': ['nostr'], limit: 20 },
    ]);
    const verb = this.#random.chance(0.05) ? 'COUNT' : 'REQ';
    const id = `q${this.#asked++ % 10}`;
    this.#random.pick(this.#clients).send([verb, id, filter]);
  }

  /** Returns one of the newest events that were sent. */
  #some(): NostrEvent {
    return this.#options.generated.event(this.#next - 1 - this.#random.below(2000));
  }
}

/**
 * Returns the pace of the load after `hours`, 1 on average, and its integral since the start, in
 * hours. The integral never exceeds `hours`, so that no event is published before its created_at.
 */
function waveOf(hours: number): { slope: number; area: number } {
  const waves = [
    { times: 1.3, share: 0.3 },
    { times: 5.1, share: 0.15 },
    { times: 23, share: 0.1 },
    { times: 71, share: 0.1 },
  ];
  let slope = 1;
  let area = hours;
  for (const { times, share } of waves) {
    const turn = 2 * Math.PI * times;
    slope -= share * Math.cos(turn * hours);
    area -= (share / turn) * Math.sin(turn * hours);
  }
  return { slope, area };
}
