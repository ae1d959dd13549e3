import type { MessagePort } from 'node:worker_threads';
import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Change, StationName } from '../messages.ts';
import { controlSocketFile } from '../paths.ts';
import type { Db } from '../storage/open.ts';
import { type ControlAnswer, type ControlRequest, ControlSocket } from './control-socket.ts';
import { AdminError, type Room } from './room.ts';
import { runVerb } from './verbs.ts';
import { WriterLink } from './writer-link.ts';

/** What the thread lends the room. */
export interface AdminParts {
  config: Config;
  db: Db;
  clock: Clock;
  log: Log;
}

/**
 * The admin room, one thread beside the data path: everything that is neither hot nor a connection's
 * business. No event passes through it.
 *
 * In: requests by the local control socket. Out: changes for the writer, the only one who writes to the
 * database. It owns a read-only connection. Bounds: clients, length of a line, requests in flight
 * (`control-socket.ts`), requests to the writer (`writer-link.ts`). If it dies it starts again, and
 * nobody on the data path notices; if it dies again and again it stays closed, and /health says so.
 */
export class Admin implements Room {
  config: Config;
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly openedAt: number;
  readonly #writer = new WriterLink();
  readonly #socket: ControlSocket;

  constructor({ config, db, clock, log }: AdminParts) {
    this.config = config;
    this.db = db;
    this.clock = clock;
    this.log = log;
    this.openedAt = clock.seconds();
    this.#socket = new ControlSocket(controlSocketFile(config.storage.directory), (request) =>
      this.#control(request),
    );
  }

  /** Takes requests from now on. A relay runs without its control socket, too. */
  async open(): Promise<void> {
    try {
      await this.#socket.listen();
    } catch (error) {
      this.log.warn('there is no control socket; wok commands cannot reach this relay', {
        error: String(error),
      });
    }
  }

  attach(station: StationName, _lane: number, port: MessagePort): void {
    if (station === 'writer') this.#writer.attach(port);
  }

  reconfigure(config: Config): void {
    this.config = config;
  }

  stop(): void {
    this.#socket.close();
    this.#writer.flush();
    this.db.close();
  }

  change(changes: readonly Change[]): Promise<readonly number[]> {
    return this.#writer.change(changes);
  }

  async #control({ id, method, params }: ControlRequest): Promise<ControlAnswer> {
    try {
      return { id, result: (await runVerb(method, params, this, { by: 'shell' })) ?? null };
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof AdminError) return { id, error: { code: error.code, message } };
      this.log.error('a verb failed', { method, error: String((error as Error).stack ?? error) });
      return { id, error: { code: 'crash', message } };
    }
  }
}
