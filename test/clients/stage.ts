// The relay for the steps, and a plain client for everything that is not the library's part.

import { expect } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author } from '../support/author.ts';
import { Client as PlainClient } from '../support/client.ts';
import type { RawFilter } from '../support/oracle.ts';
import { until } from '../support/process.ts';
import { freshDirectory, type Settings, startRelay, type TestRelay } from '../support/relay.ts';
import { Client } from './client.ts';
import { CLIENTS, type Library } from './libraries.ts';
import { manyEvents } from './steps.ts';

/** Number of events that are sent to the relay at once; more would be a flood. */
const PUBLISHED_AT_ONCE = 500;

interface PagedEvents {
  author: Author;
  events: NostrEvent[];
}

/** In-process relay with a plain connection to it, which does what is not the library's part. */
export class Stage {
  /** User of the library; another one with each start of it. */
  me = new Author();
  readonly #settings: Settings;
  readonly #directory = freshDirectory();
  #server!: TestRelay;
  #plain!: PlainClient;
  #paged: Promise<PagedEvents> | undefined;

  private constructor(settings: Settings) {
    this.#settings = settings;
  }

  static async open(settings: Settings): Promise<Stage> {
    const stage = new Stage(settings);
    await stage.#open(settings);
    return stage;
  }

  async #open(settings: Settings): Promise<void> {
    this.#server = await startRelay(settings, this.#directory);
    this.#plain = await PlainClient.connect(this.#server.url);
    if (this.#settings['auth.required'] === 'all') await this.#authenticate();
  }

  /** Starts the library's program; the user has a key there only if `isKeyed`. */
  start({ command }: Library, isKeyed: boolean): Promise<Client> {
    this.me = new Author();
    const args = [this.#server.url];
    if (isKeyed) args.push(this.me.secret);
    if (this.#settings['auth.required'] === 'all') args.push('required');
    return Client.start([...command, ...args], CLIENTS);
  }

  /** Publishes without the library, and waits until everything is stored. */
  readonly publish = async (...events: NostrEvent[]): Promise<void> => {
    for (let at = 0; at < events.length; at += PUBLISHED_AT_ONCE) {
      const some = events.slice(at, at + PUBLISHED_AT_ONCE);
      const answers = await Promise.all(some.map((event) => this.#plain.publish(event)));
      expect(answers).toEqual(some.map(({ id }) => ['OK', id, true, '']));
    }
  };

  /** Queries without the library. */
  readonly query = async (filter: RawFilter): Promise<NostrEvent[]> => {
    const { events } = await this.#plain.query(filter);
    return events;
  };

  /** Events for the steps with pages, published when the first step asks for them. */
  readonly pagedEvents = (): Promise<PagedEvents> => {
    this.#paged ??= (async () => {
      const author = new Author();
      const events = manyEvents(author);
      await this.publish(...events);
      return { author, events };
    })();
    return this.#paged;
  };

  /** Stops the relay and starts it again, at the same address and with the same data. */
  readonly restart = async (): Promise<void> => {
    const { port } = this.#server.relay;
    await this.#server.stop();
    await this.#open({ ...this.#settings, 'io.port': port });
  };

  stop(): Promise<void> {
    return this.#server.stop();
  }

  async #authenticate(): Promise<void> {
    const { challenges } = this.#plain;
    await until(() => challenges.length > 0, 'a challenge');
    const answer = new Author().auth(challenges[0]!, this.#server.url);
    this.#plain.send(['AUTH', answer]);
    expect(await this.#plain.ok(answer.id)).toEqual(['OK', answer.id, true, '']);
  }
}
