// Client side of the programs in adapters/, python/ and go/: one process for each client library,
// driven by lines of JSON.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { WAIT_MILLISECONDS } from '../support/ceiling.ts';
import type { RawFilter } from '../support/oracle.ts';

/** Result of an OK, as a client library reports it. */
export interface Verdict {
  accepted: boolean;
  message: string;
}

interface Answer {
  id?: number;
  result?: unknown;
  error?: string;
  can?: string[];
  pages?: boolean;
  heard?: NostrEvent;
}

interface Waiter {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * Client library in a program of its own, because libraries keep sockets and timers, change
 * globals, and some hang. Each program reads one command a line and writes one answer a line, as
 * JSON; adapters/program.js defines them.
 */
export class Client {
  /** Events that a live subscription has brought, stored events first. */
  readonly heard: NostrEvent[] = [];
  /** Commands that the library supports. */
  can: ReadonlySet<string> = new Set();
  /** True if the library has paging of its own; otherwise its program asks page by page. */
  pages = false;
  /** Last part of the program's standard error. */
  complaints = '';
  readonly #child: ChildProcess;
  readonly #waiters = new Map<number, Waiter>();
  readonly #ended: Promise<void>;
  #commands = 0;

  private constructor(command: readonly string[], directory: string) {
    const [program, ...args] = command;
    this.#child = spawn(program!, args, { cwd: directory, stdio: 'pipe' });
    this.#child.stdin!.on('error', () => {});
    this.#child.stderr!.on('data', (data) => {
      this.complaints = (this.complaints + String(data)).slice(-10_000);
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#take(line));
    this.#ended = new Promise<void>((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', (error) => {
        this.complaints += String(error);
        resolve();
      });
    }).then(() => {
      for (const { reject } of this.#waiters.values()) {
        reject(new Error(`the program ended: ${this.complaints}`));
      }
      this.#waiters.clear();
    });
  }

  /**
   * Starts a program. Its arguments are a relay's address, the key of its user in hex if there is
   * one, and `required` if the relay challenges everyone who connects.
   */
  static async start(command: readonly string[], directory: string): Promise<Client> {
    const client = new Client(command, directory);
    // The first line that it writes answers command 0.
    const { can, pages } = (await client.#answer(0)) as Answer;
    client.can = new Set(can);
    client.pages = pages === true;
    return client;
  }

  publish(event: NostrEvent): Promise<Verdict> {
    return this.#ask('publish', { event }) as Promise<Verdict>;
  }

  /** Sends all queries at once and returns the stored events of each. */
  queries(filters: readonly RawFilter[]): Promise<NostrEvent[][]> {
    return this.#ask('query', { filters }) as Promise<NostrEvent[][]>;
  }

  async query(filter: RawFilter): Promise<NostrEvent[]> {
    const [events] = await this.queries([filter]);
    return events!;
  }

  /** Subscribes; resolves at EOSE. Events arrive in `heard`. */
  async live(filter: RawFilter): Promise<void> {
    await this.#ask('live', { filter });
  }

  count(filter: RawFilter): Promise<number> {
    return this.#ask('count', { filter }) as Promise<number>;
  }

  /** Returns the ids of everything that matches, asked for in pages of `limit`. */
  page(filter: RawFilter, limit: number): Promise<string[]> {
    return this.#ask('page', { filter, limit }) as Promise<string[]>;
  }

  /** Ends the program and waits until it is gone. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #ask(verb: string, command: object): Promise<unknown> {
    const id = ++this.#commands;
    const answer = this.#answer(id);
    this.#child.stdin!.write(`${JSON.stringify({ id, verb, ...command })}\n`);
    return answer;
  }

  #answer(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(id);
        reject(new Error(`no answer in ${WAIT_MILLISECONDS} ms; it said: ${this.complaints}`));
      }, WAIT_MILLISECONDS);
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(id);
      };
      this.#waiters.set(id, {
        resolve: (result) => {
          done();
          resolve(result);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
    });
  }

  #take(line: string): void {
    const answer = JSON.parse(line) as Answer;
    if (answer.heard !== undefined) {
      this.heard.push(answer.heard);
      return;
    }
    const waiter = this.#waiters.get(answer.id ?? 0);
    if (answer.error !== undefined) waiter?.reject(new Error(answer.error));
    else waiter?.resolve(answer.can === undefined ? answer.result : answer);
  }
}
