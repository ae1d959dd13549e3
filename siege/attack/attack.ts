// Execution of a flood in the attackers' process: connections of many addresses, their counters,
// and the time limit.

import { Connection } from '../../bench/client/connection.ts';
import { FrameWriter } from '../../bench/client/frames.ts';
import {
  CLOSED,
  COUNT,
  EOSE,
  EVENT,
  MessageReader,
  NOTICE,
  OK,
} from '../../bench/client/messages.ts';
import { assertMayLoad, parseTarget, type Target } from '../../bench/client/target.ts';
import { Random } from '../../bench/dataset/random.ts';
import { sleep } from '../../bench/load/driver.ts';
import { Author, type Draft } from './author.ts';
import { Wire } from './wire.ts';

/** Job of a flood. */
export interface AttackJob {
  readonly url: string;
  /** Client addresses, sent as X-Forwarded-For; '' is loopback itself. */
  readonly addresses: readonly string[];
  readonly seed: number;
  readonly short: boolean;
}

/** Result of a flood. */
export interface AttackReport {
  /** Numbers of messages sent and answers, by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** Forbidden actions of the relay that were seen, as sentences. */
  readonly wrong: readonly string[];
  readonly cpuSeconds: number;
}

/** Delay before a refused address tries again. */
const RETRY_MILLISECONDS = 50;
const WRONG_MAX = 5;
/** Time that a flood may still wait for after its end: for a connection that is being opened. */
const END_MILLISECONDS = 2000;
/**
 * Number of events that wait for their OK while a scenario is prepared; even at 20 kB each, one
 * connection may have that many.
 */
const STORE_IN_FLIGHT = 200;

/** Message of the relay, for a conversation. */
export interface Heard {
  readonly verb: number;
  /** Returns the text of the message; decoded only on demand. */
  text(): string;
}

/** Running flood: its addresses, its connections, and its counters. */
export class Attack {
  readonly target: Target;
  readonly addresses: readonly string[];
  readonly short: boolean;
  readonly random: Random;
  readonly counts: Record<string, number> = {};
  readonly wrong: string[] = [];
  #over = false;
  #begin: () => void = () => {};
  readonly #proof: string;
  readonly #open = new Set<{ destroy(): void }>();
  #ends: (() => void)[] = [];

  /** @param proof name of the counter that increases as soon as the flood has begun. */
  constructor({ url, addresses, seed, short }: AttackJob, proof: string) {
    this.#proof = proof;
    this.target = parseTarget(url);
    // Only local hosts can be attacked; there is no option to allow another one.
    assertMayLoad(this.target, false);
    this.addresses = addresses;
    this.short = short;
    this.random = new Random(seed, 0x5e1e);
  }

  /** True if the time is up: nothing more is sent. */
  get isOver(): boolean {
    return this.#over;
  }

  /** True if one address attacks rather than many. */
  get isAlone(): boolean {
    return this.addresses.length === 1;
  }

  /** Promise that resolves when the time is up. */
  get over(): Promise<void> {
    return this.#over ? Promise.resolve() : new Promise((resolve) => this.#ends.push(resolve));
  }

  count(name: string, more = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + more;
    if (name === this.#proof) this.#begin();
  }

  /** Records a forbidden action of the relay; it breaks a bound. */
  tellWrong(sentence: string): void {
    if (this.wrong.length < WRONG_MAX) this.wrong.push(sentence);
  }

  author(): Promise<Author> {
    return Author.make(this.random);
  }

  /** Waits, at most until the time is up. */
  async sleep(milliseconds: number): Promise<void> {
    await Promise.race([sleep(milliseconds), this.over]);
  }

  /**
   * Runs `work` for every address concurrently, with a number of connections each that depends on
   * whether there is one address or many.
   */
  async each(
    connections: readonly [ofOne: number, ofMany: number],
    work: (address: string, number: number) => Promise<void>,
  ): Promise<void> {
    const each = this.isAlone ? connections[0] : connections[1];
    await Promise.all(
      this.addresses.flatMap((address, at) =>
        Array.from({ length: each }, (_, n) => work(address, at * each + n)),
      ),
    );
  }

  /**
   * Keeps the given number of connections of one address, or of each of many; a connection that
   * ends is opened again. `work` runs on each.
   */
  wires(
    connections: readonly [ofOne: number, ofMany: number],
    work: (wire: Wire, number: number) => Promise<void>,
    { reads = true } = {},
  ): Promise<void> {
    return this.each(connections, async (address, number) => {
      while (!this.#over) {
        const wire = await this.wire(address, reads);
        if (wire === undefined) {
          await this.sleep(RETRY_MILLISECONDS);
          continue;
        }
        await work(wire, number);
        if (!this.#over && !wire.isOpen) this.count('disconnected');
        this.#drop(wire);
      }
    });
  }

  /** Opens one WebSocket; returns undefined, and counts it, when it is refused. */
  async wire(address: string, reads = true): Promise<Wire | undefined> {
    const wire = await Wire.open(this.target, address, reads);
    if (typeof wire === 'number') {
      this.count(wire === 0 ? 'no answer' : `HTTP ${wire}`);
      return undefined;
    }
    this.count('connections');
    this.keep(wire);
    return wire;
  }

  /** Writes the same bytes, which hold `frames` frames, until the connection or the time ends. */
  async repeat(wire: Wire, bytes: Uint8Array, frames: number): Promise<void> {
    while (!this.#over && (await wire.write(bytes))) this.count('frames', frames);
  }

  /**
   * Runs conversations over connections that read their answers: `next` makes the messages, and
   * `inFlight` of them wait for an answer (OK, EOSE, CLOSED, COUNT, NOTICE) on each connection.
   */
  converse(
    connections: readonly [ofOne: number, ofMany: number],
    inFlight: number,
    next: (number: number) => string,
    heard: (message: Heard) => void = () => {},
  ): Promise<void> {
    return this.each(connections, async (address, number) => {
      while (!this.#over) {
        const talk = new Conversation(this, inFlight, () => next(number), heard);
        const opened = await talk.open(address);
        if (opened) await talk.ended;
        else await this.sleep(RETRY_MILLISECONDS);
        this.#drop(talk);
      }
    });
  }

  /**
   * Stores events as a client of loopback, which has no rates; prepares a scenario.
   *
   * @throws Error when the relay does not store all of them.
   */
  async store(author: Author, drafts: readonly Draft[]): Promise<void> {
    let at = 0;
    let stored = 0;
    let refused = '';
    const next = () => (at < drafts.length ? author.message(drafts[at++]) : '');
    const talk = new Conversation(this, STORE_IN_FLIGHT, next, ({ verb, text }) => {
      if (verb !== OK) return;
      const [, , accepted, why] = JSON.parse(text()) as [string, string, boolean, string];
      if (!accepted) refused = why;
      if (++stored === drafts.length) talk.destroy();
    });
    if (!(await talk.open('')))
      throw new Error('the relay does not accept connections from loopback');
    await talk.ended;
    this.#drop(talk);
    if (refused !== '') throw new Error(`an event of the preparation was refused: ${refused}`);
    if (stored < drafts.length)
      throw new Error('the relay closed the connection during the preparation');
    for (const name of Object.keys(this.counts)) delete this.counts[name];
  }

  /**
   * Runs a flood and closes all its connections.
   *
   * @param milliseconds duration from its first message.
   * @param patience time that the first message is waited for, in milliseconds.
   */
  async run(
    flood: (attack: Attack) => Promise<void>,
    milliseconds: number,
    patience: number,
  ): Promise<AttackReport> {
    const before = process.cpuUsage();
    const begun = new Promise<void>((resolve) => {
      this.#begin = resolve;
    });
    const timer = Promise.race([begun, sleep(patience)])
      .then(() => sleep(milliseconds))
      .then(() => this.#end());
    const late = timer.then(() => sleep(END_MILLISECONDS));
    await Promise.race([Promise.all([flood(this), timer]), late]);
    for (const one of this.#open) one.destroy();
    this.#open.clear();
    const { user, system } = process.cpuUsage(before);
    return { counts: this.counts, wrong: this.wrong, cpuSeconds: (user + system) / 1e6 };
  }

  /** Registers a resource that is destroyed at the end of the flood. */
  keep(one: { destroy(): void }): void {
    if (this.#over) one.destroy();
    else this.#open.add(one);
  }

  #drop(one: { destroy(): void }): void {
    one.destroy();
    this.#open.delete(one);
  }

  #end(): void {
    this.#over = true;
    // Pending writes and answers end with their connections.
    for (const one of this.#open) one.destroy();
    for (const end of this.#ends) end();
    this.#ends = [];
  }
}

const reader = new MessageReader();

/** Connection of `converse`. */
class Conversation {
  readonly ended: Promise<void>;
  readonly #attack: Attack;
  readonly #inFlight: number;
  readonly #next: () => string;
  readonly #heard: (message: Heard) => void;
  #end: () => void = () => {};
  #connection: Connection | undefined;
  #waiting = 0;

  constructor(
    attack: Attack,
    inFlight: number,
    next: () => string,
    heard: (message: Heard) => void,
  ) {
    this.#attack = attack;
    this.#inFlight = inFlight;
    this.#next = next;
    this.#heard = heard;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async open(address: string): Promise<boolean> {
    try {
      this.#connection = await Connection.open(this.#attack.target, this, { address });
    } catch (error) {
      const status = /HTTP \d+/.exec((error as Error).message)?.[0];
      this.#attack.count(status ?? 'no answer');
      return false;
    }
    this.#attack.count('connections');
    this.#attack.keep(this);
    this.#fill();
    return true;
  }

  destroy(): void {
    this.#connection?.destroy();
    this.#end();
  }

  text(_connection: Connection, bytes: Buffer, start: number, end: number): void {
    const verb = reader.read(bytes, start, end);
    if (verb === EVENT) this.#attack.count('events');
    else if (verb === OK || verb === EOSE || verb === CLOSED || verb === COUNT || verb === NOTICE) {
      this.#attack.count('answers');
      this.#waiting--;
    }
    this.#heard({ verb, text: () => bytes.toString('utf8', start, end) });
  }

  readEnd(): void {
    if (this.#connection !== undefined) this.#fill();
  }

  closed(): void {
    this.#attack.count('disconnected');
    this.#end();
  }

  #fill(): void {
    const connection = this.#connection!;
    while (this.#waiting < this.#inFlight && !this.#attack.isOver) {
      const text = this.#next();
      if (text === '') break;
      connection.out.text(text);
      this.#waiting++;
      this.#attack.count('messages');
    }
    connection.flush();
  }
}

/** Returns the bytes of text frames one after the other, a frame for each text. */
export function framesOf(texts: readonly string[]): Buffer {
  const writer = new FrameWriter();
  for (const text of texts) writer.text(text);
  return writer.take();
}
