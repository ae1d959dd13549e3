// Crash test: kills the relay with SIGKILL while clients publish, and checks that every
// acknowledged event is stored.

import { setTimeout as sleep } from 'node:timers/promises';
import { Asker } from '../bench/client/asker.ts';
import { Connection, type ConnectionOwner } from '../bench/client/connection.ts';
import { MessageReader, OK } from '../bench/client/messages.ts';
import { parseTarget, type Target } from '../bench/client/target.ts';
import { Random } from '../bench/dataset/random.ts';
import { waitUntil } from '../bench/load/driver.ts';
import { startRelay } from '../bench/relay/start.ts';
import { canonicalJson } from '../src/protocol/canonical.ts';
import { Author } from './attack/author.ts';
import type { SiegeForm } from './run.ts';

/** Name of the test on the command line, beside the floods. */
export const KILL = 'kill';
export const KILL_ABOUT = 'kill -9 while events are stored, again and again on the same database';

/** Result of the crash test. */
interface KillReport {
  readonly rounds: number;
  /** Number of events sent, and of those with OK true, in all rounds. */
  readonly sent: number;
  readonly acknowledged: number;
  /**
   * Number of acknowledged events that could not be read afterwards, or differed from what was
   * sent.
   */
  readonly lost: number;
  /** Refusals, and failed starts. */
  readonly complaints: readonly string[];
}

const CONNECTIONS = 4;
const IN_FLIGHT = 100;
/** Number of acknowledgements that every round exceeds before its kill. */
const ACKNOWLEDGED_MIN = 40;
/** Range of the delay from then to the kill, in milliseconds. */
const DELAY_MILLISECONDS = [20, 400] as const;
const CONTENT_MAX = 400;
const LARGE_CONTENT_MAX = 20_000;
const READ_BACK_IDS = 250;
const COMPLAINTS_MAX = 5;
const TELL_ROUNDS = 100;

const reader = new MessageReader();

/** Client that publishes with IN_FLIGHT events in flight, until the connection ends. */
class Publisher implements ConnectionOwner {
  /** Canonical JSON of the events sent, by id. */
  readonly sent = new Map<string, string>();
  readonly acknowledged: string[] = [];
  readonly complaints: string[] = [];
  readonly #author: Author;
  readonly #random: Random;
  #connection: Connection | undefined;
  #waiting = 0;

  constructor(author: Author, random: Random) {
    this.#author = author;
    this.#random = random;
  }

  async open(target: Target): Promise<void> {
    this.#connection = await Connection.open(target, this);
    this.readEnd();
  }

  get isOpen(): boolean {
    return this.#connection?.isOpen === true;
  }

  text(_connection: Connection, bytes: Buffer, start: number, end: number): void {
    if (reader.read(bytes, start, end) !== OK) return;
    this.#waiting--;
    if (reader.accepted(bytes)) {
      this.acknowledged.push(bytes.toString('latin1', reader.idStart, reader.idEnd));
    } else {
      this.complaints.push(bytes.toString('utf8', start, end));
    }
  }

  readEnd(): void {
    const connection = this.#connection;
    // During the handshake there is no connection to send on.
    if (connection === undefined) return;
    for (; this.#waiting < IN_FLIGHT; this.#waiting++) {
      const most = this.#random.chance(0.02) ? LARGE_CONTENT_MAX : CONTENT_MAX;
      const content = `${this.sent.size} ${'x'.repeat(this.#random.below(most))}`;
      const event = this.#author.event({ content });
      const json = canonicalJson(event);
      this.sent.set(event.id, json);
      connection.out.text(`["EVENT",${json}]`);
    }
    connection.flush();
  }

  closed(): void {}
}

/**
 * Kills a relay while four clients publish, and restarts it on its files, `kills` times. Checks
 * after each restart that all events acknowledged in the round are stored, and at the end those of
 * all rounds.
 *
 * @param tell gets a progress sentence from time to time.
 */
export async function runKill(
  { seed, kills, patience }: Pick<SiegeForm, 'seed' | 'kills' | 'patience'>,
  tell: (sentence: string) => void = () => {},
): Promise<KillReport> {
  const random = new Random(seed, 0x9);
  const relay = await startRelay(['metrics.port=0'], undefined, { lifted: false });
  const all: string[] = [];
  const complaints: string[] = [];
  let sent = 0;
  let lost = 0;
  let rounds = 0;
  try {
    let target = parseTarget(relay.url);
    for (; rounds < kills; rounds++) {
      const publishers = await publishUntil(target, random, patience, () => relay.kill());
      target = parseTarget(await relay.restart());
      for (const publisher of publishers) {
        sent += publisher.sent.size;
        all.push(...publisher.acknowledged);
        complaints.push(...publisher.complaints);
        lost += await missing(target, publisher.acknowledged, publisher.sent);
      }
      if ((rounds + 1) % TELL_ROUNDS === 0) {
        tell(`kill: ${rounds + 1} rounds, ${all.length} acknowledged, ${lost} lost`);
      }
    }
    lost = Math.max(lost, await missing(target, all));
  } catch (error) {
    complaints.push((error as Error).message);
  } finally {
    await relay.stop();
  }
  return {
    rounds,
    sent,
    acknowledged: all.length,
    lost,
    complaints: complaints.slice(0, COMPLAINTS_MAX),
  };
}

/** Runs one round: clients publish, and the relay is killed at some moment. */
async function publishUntil(
  target: Target,
  random: Random,
  patience: number,
  kill: () => Promise<void>,
): Promise<Publisher[]> {
  const publishers: Publisher[] = [];
  for (let n = 0; n < CONNECTIONS; n++) {
    publishers.push(new Publisher(await Author.make(random), random));
  }
  await Promise.all(publishers.map((publisher) => publisher.open(target)));
  const acknowledged = () => publishers.reduce((sum, one) => sum + one.acknowledged.length, 0);
  const isEnough = await waitUntil(() => acknowledged() > ACKNOWLEDGED_MIN, patience);
  if (!isEnough) throw new Error('events were not acknowledged');
  await sleep(random.between(...DELAY_MILLISECONDS));
  await kill();
  // Acknowledgements that were in flight count.
  await waitUntil(() => publishers.every(({ isOpen }) => !isOpen), patience);
  return publishers;
}

/** Returns the number of these events that are missing, or differ from what was sent. */
async function missing(
  target: Target,
  ids: readonly string[],
  sent?: ReadonlyMap<string, string>,
): Promise<number> {
  const asker = await Asker.open(target);
  let found = 0;
  for (let at = 0; at < ids.length; at += READ_BACK_IDS) {
    const { events } = await asker.query([{ ids: ids.slice(at, at + READ_BACK_IDS) }]);
    asker.log.length = 0;
    found += events.filter(
      (event) => sent === undefined || sent.get(event.id) === canonicalJson(event),
    ).length;
  }
  await asker.close();
  return ids.length - found;
}

/** Returns a sentence for every bound that is broken. */
export function killBreaches({ rounds, lost, complaints }: KillReport, wanted: number): string[] {
  const found = complaints.map((what) => `${KILL}: ${what}`);
  if (lost > 0) found.push(`${KILL}: ${lost} acknowledged events are lost`);
  if (rounds < wanted) found.push(`${KILL}: it ended after ${rounds} of ${wanted} rounds`);
  return found;
}

/** Returns the report in a line. */
export function killSentence({ rounds, sent, acknowledged, lost }: KillReport): string {
  return `${KILL}: ${rounds} rounds, ${acknowledged} of ${sent} events acknowledged, ${lost} lost`;
}
