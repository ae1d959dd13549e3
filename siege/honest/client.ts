// Honest clients of a siege: publish, query and subscribe at a constant rate, and record latencies,
// losses and refusals.

import { Connection, type ConnectionOwner } from '../../bench/client/connection.ts';
import { assertMayLoad, parseTarget, type Target } from '../../bench/client/target.ts';
import { Random } from '../../bench/dataset/random.ts';
import { Histogram, type HistogramData } from '../../bench/figures/histogram.ts';
import { now } from '../../bench/load/clock.ts';
import { waitUntil } from '../../bench/load/driver.ts';
import { Pacer } from '../../bench/load/pacer.ts';
import { Author } from '../attack/author.ts';
import type { Answered } from '../saturation.ts';

/** Job of the honest clients. */
export interface HonestJob {
  readonly url: string;
  readonly seed: number;
  /** Time that an answer is waited for before it counts as missing, in milliseconds. */
  readonly patience: number;
}

/** Results of the honest clients; latencies are those of messages due while the flood lasted. */
export interface HonestReport {
  readonly publish: HistogramData;
  readonly req: HistogramData;
  readonly delivery: HistogramData;
  /** The same times of OK and EOSE, each with that at which its message was due. */
  readonly published: readonly Answered[];
  readonly requested: readonly Answered[];
  /** Lateness of this process itself. */
  readonly lag: HistogramData;
  /** Longest time of any message from when it was due, also outside the flood, in milliseconds. */
  readonly slowest: number;
  /** Number of notes with OK true. */
  readonly acknowledged: number;
  /** Number of those that could not be read back. */
  readonly lost: number;
  /**
   * Number of those that the live subscription did not get; and of notes that it got more than
   * once.
   */
  readonly undelivered: number;
  readonly deliveredTwice: number;
  /** Number of times that a message was refused because the relay was busy; most are sent again. */
  readonly refusedBusy: number;
  /**
   * Other refusals, missing answers and ended connections, with the number of times each was seen.
   */
  readonly complaints: Readonly<Record<string, number>>;
}

/** Number of notes a second, and of questions: half of what one address may ask for by default. */
const PER_SECOND = 20;
/**
 * Number of authors; more than one, because a key may publish 10 events a second
 * (`rates.pubkey_events`).
 */
const AUTHORS = 4;
const KIND = 1;
const PUBLISHER = '203.0.113.7';
const LISTENER = '192.0.2.8';
const CHECKER = '198.51.100.9';
const SUBSCRIPTION = 'honest';
/** Number of ids in one filter when the notes are read back. */
const READ_BACK_IDS = 250;

/**
 * Refusals because a queue of the relay is full, which is no fault of the client: it tries again.
 */
const BUSY =
  /^(rate-limited|error): .*(is busy|queue of this relay is full|unanswered|are waiting)/;
/**
 * Delay of a retry, in milliseconds; long enough that retries do not use up the rates of the
 * client's own address.
 */
const RETRY_MILLISECONDS = 500;

/** Times of one kind of answer. */
interface Series {
  readonly histogram: Histogram;
  readonly answered: Answered[];
}

function newSeries(): Series {
  return { histogram: new Histogram(), answered: [] };
}

interface Pending {
  readonly dueAt: number;
  readonly measured: boolean;
  /** Text of the message, for a retry. */
  readonly text: string;
}

interface Question extends Pending {
  readonly id: string;
  found: boolean;
}

type Message = readonly [verb: string, first?: unknown, second?: unknown, third?: unknown];

/** Connection owner that parses messages and passes them on. */
class Ear implements ConnectionOwner {
  readonly #take: (message: Message) => void;
  readonly #lost: (why: string) => void;

  constructor(take: (message: Message) => void, lost: (why: string) => void) {
    this.#take = take;
    this.#lost = lost;
  }

  text(_connection: Connection, bytes: Buffer, start: number, end: number): void {
    this.#take(JSON.parse(bytes.toString('utf8', start, end)) as Message);
  }

  closed(_connection: Connection, why: string): void {
    this.#lost(why);
  }
}

/**
 * Two honest clients, each from its own address, over connections that stay open. One publishes a
 * note and asks for an earlier one by its id, at a constant rate whatever the relay does; latencies
 * count from when a message was due. The other subscribes to those notes and must get each exactly
 * once.
 */
export class HonestClients {
  readonly #target: Target;
  readonly #patience: number;
  readonly #random: Random;
  readonly #publish = newSeries();
  readonly #req = newSeries();
  readonly #delivery = newSeries();
  #measuredFrom = 0;
  #slowest = 0;
  #refusedBusy = 0;
  #measuring = false;
  readonly #complaints: Record<string, number> = {};
  readonly #acknowledged: string[] = [];
  readonly #unanswered = new Map<string, Pending>();
  readonly #questions = new Map<string, Question>();
  /** Due time and number of deliveries of each note, by id. */
  readonly #notes = new Map<string, Pending & { delivered: number }>();
  #authors: Author[] = [];
  #count = 0;
  #asked = 0;
  #isSubscribed = false;
  #publisher: Connection | undefined;
  #listener: Connection | undefined;
  #pacers: Pacer[] = [];

  constructor({ url, seed, patience }: HonestJob) {
    this.#target = parseTarget(url);
    assertMayLoad(this.#target, false);
    this.#random = new Random(seed, 0x401e57);
    this.#patience = patience;
  }

  /**
   * Connects, subscribes, and begins.
   *
   * @throws Error when the relay does not serve even that.
   */
  async arrive(): Promise<void> {
    this.#authors = await Promise.all(
      Array.from({ length: AUTHORS }, () => Author.make(this.#random)),
    );
    this.#publisher = await this.#connect('publisher', PUBLISHER, (message) =>
      this.#heard(message),
    );
    this.#listener = await this.#connect('listener', LISTENER, (message) => this.#live(message));
    const authors = this.#authors.map(({ pubkey }) => pubkey);
    this.#listener.send(JSON.stringify(['REQ', SUBSCRIPTION, { kinds: [KIND], authors }]));
    const isReady = await waitUntil(() => this.#isSubscribed, this.#patience);
    if (!isReady) throw new Error('the subscription of the honest client got no EOSE');
    const first = now();
    const gap = 1000 / PER_SECOND;
    this.#pacers = [
      new Pacer(
        PER_SECOND,
        (dueAt) => this.#sendNote(dueAt),
        () => {},
      ),
      new Pacer(
        PER_SECOND,
        (dueAt) => this.#ask(dueAt),
        () => {},
      ),
    ];
    this.#pacers[0]!.start(first);
    // Questions fall between two notes.
    this.#pacers[1]!.start(first + gap / 2);
  }

  /** Starts or ends the measurement of messages that are due from now on. */
  measure(on: boolean): void {
    this.#measuring = on;
    if (on) this.#measuredFrom = now();
  }

  /** Number of notes acknowledged so far. */
  get served(): number {
    return this.#acknowledged.length;
  }

  /** Stops sending, waits for missing answers, and reads back all acknowledged notes. */
  async leave(): Promise<HonestReport> {
    for (const pacer of this.#pacers) pacer.stop();
    const owed = () => this.#unanswered.size + this.#questions.size;
    const isGone = () => this.#publisher?.isOpen !== true;
    await waitUntil(() => owed() === 0 || isGone(), this.#patience);
    for (const pending of this.#unanswered.values()) this.#missing('OK', pending, this.#publish);
    for (const question of this.#questions.values()) this.#missing('EOSE', question, this.#req);
    const undelivered = () =>
      this.#acknowledged.filter((id) => this.#notes.get(id)!.delivered === 0).length;
    await waitUntil(() => undelivered() === 0 || !this.#listener!.isOpen, this.#patience);
    const lost = await this.#lost().catch((error: Error) => {
      this.#complain(`stored events could not be read back: ${error.message}`);
      return 0;
    });
    await Promise.all([this.#publisher?.close(), this.#listener?.close()]);
    const lag = new Histogram();
    for (const pacer of this.#pacers) lag.add(pacer.lag.data());
    return {
      publish: this.#publish.histogram.data(),
      req: this.#req.histogram.data(),
      delivery: this.#delivery.histogram.data(),
      published: this.#publish.answered,
      requested: this.#req.answered,
      lag: lag.data(),
      slowest: this.#slowest,
      acknowledged: this.#acknowledged.length,
      lost,
      undelivered: undelivered(),
      deliveredTwice: [...this.#notes.values()].filter(({ delivered }) => delivered > 1).length,
      refusedBusy: this.#refusedBusy,
      complaints: this.#complaints,
    };
  }

  #connect(who: string, address: string, take: (message: Message) => void): Promise<Connection> {
    const ear = new Ear(take, (why) => this.#complain(`the ${who} lost its connection: ${why}`));
    const timeoutMilliseconds = this.#patience;
    return Connection.open(this.#target, ear, { address, timeoutMilliseconds });
  }

  #sendNote(dueAt: number): boolean {
    if (!this.#publisher!.isOpen) return false;
    const author = this.#authors[this.#count++ % AUTHORS]!;
    const event = author.event({ kind: KIND, content: `honest note ${this.#count}` });
    const text = JSON.stringify(['EVENT', event]);
    const pending = { dueAt, measured: this.#measuring, text };
    this.#unanswered.set(event.id, pending);
    this.#notes.set(event.id, { ...pending, delivered: 0 });
    this.#publisher!.send(text);
    return true;
  }

  /** Asks for the newest acknowledged note. */
  #ask(dueAt: number): boolean {
    if (!this.#publisher!.isOpen) return false;
    const id = this.#acknowledged.at(-1);
    if (id === undefined) return true;
    // A late pacer may ask twice between two notes, so the questions have numbers of their own.
    const subscription = `ask ${this.#asked++}`;
    const text = JSON.stringify(['REQ', subscription, { ids: [id] }]);
    this.#questions.set(subscription, { dueAt, measured: this.#measuring, text, id, found: false });
    this.#publisher!.send(text);
    return true;
  }

  #heard([verb, first, second, third]: Message): void {
    const key = String(first);
    if (verb === 'OK') {
      const pending = this.#unanswered.get(key);
      if (pending === undefined) {
        this.#complain('an unexpected or duplicate OK');
        return;
      }
      if (second === false && this.#isRetried(pending, third)) return;
      this.#unanswered.delete(key);
      this.#took(pending, this.#publish);
      if (second === true) this.#acknowledged.push(key);
      else this.#complain(`a note was refused: ${withoutNumbers(third)}`);
      return;
    }
    const question = this.#questions.get(key);
    if (question === undefined) {
      if (verb === 'NOTICE') this.#hearNotice(String(first));
      return;
    }
    if (verb === 'EVENT') {
      question.found = (second as { id: string }).id === question.id;
    } else if (verb === 'EOSE') {
      this.#questions.delete(key);
      this.#took(question, this.#req);
      if (!question.found) this.#complain('an acknowledged note was not found');
      this.#publisher!.send(JSON.stringify(['CLOSE', key]));
    } else if (verb === 'CLOSED' && !this.#isRetried(question, second)) {
      this.#questions.delete(key);
      this.#took(question, this.#req);
      this.#complain(`a query was refused: ${withoutNumbers(second)}`);
    }
  }

  #live([verb, first, second]: Message): void {
    if (verb === 'EOSE') this.#isSubscribed = true;
    else if (verb === 'CLOSED') this.#complain(`the subscription was closed: ${second}`);
    else if (verb === 'EVENT' && first === SUBSCRIPTION) {
      const note = this.#notes.get((second as { id: string }).id);
      if (note === undefined) {
        this.#complain('an event was delivered that matches no filter');
      } else if (++note.delivered === 1) {
        this.#took(note, this.#delivery);
      }
    }
  }

  #took({ dueAt, measured }: Pending, { histogram, answered }: Series): void {
    const milliseconds = now() - dueAt;
    this.#slowest = Math.max(this.#slowest, milliseconds);
    if (!measured) return;
    histogram.record(milliseconds * 1000);
    answered.push({ dueAt: dueAt - this.#measuredFrom, milliseconds });
  }

  /**
   * Returns true if a refusal only says that there is no capacity at the moment; the message is
   * then sent again.
   */
  #isRetried({ text }: Pending, why: unknown): boolean {
    if (!BUSY.test(String(why))) return false;
    this.#refusedBusy++;
    setTimeout(() => this.#publisher!.send(text), RETRY_MILLISECONDS);
    return true;
  }

  #missing(what: string, pending: Pending, series: Series): void {
    this.#took(pending, series);
    this.#complain(`no ${what} received`);
  }

  /**
   * Handles a NOTICE, which answers a CLOSE among others: a CLOSE has no id by which it could be
   * refused.
   */
  #hearNotice(text: string): void {
    if (text.startsWith('rate-limited: this relay is busy')) this.#refusedBusy++;
    else this.#complain(`NOTICE: ${withoutNumbers(text)}`);
  }

  #complain(what: string): void {
    this.#complaints[what] = (this.#complaints[what] ?? 0) + 1;
  }

  /** Returns the number of acknowledged notes that a third client cannot read. */
  async #lost(): Promise<number> {
    const missing = new Set(this.#acknowledged);
    let ended = 0;
    const checker = await this.#connect('reader', CHECKER, ([verb, , event]) => {
      if (verb === 'EVENT') missing.delete((event as { id: string }).id);
      else if (verb === 'EOSE' || verb === 'CLOSED') ended++;
    });
    const ids = [...missing];
    let asked = 0;
    for (let at = 0; at < ids.length; at += READ_BACK_IDS) {
      const filter = { ids: ids.slice(at, at + READ_BACK_IDS) };
      checker.send(JSON.stringify(['REQ', `back ${asked++}`, filter]));
      await waitUntil(() => ended === asked || !checker.isOpen, this.#patience);
    }
    await checker.close();
    return missing.size;
  }
}

/** Returns a refusal without its numbers, so that equal ones are counted together. */
function withoutNumbers(text: unknown): string {
  return String(text).replace(/\d+/g, 'N');
}
