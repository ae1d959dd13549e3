// Client of the control socket, JSON lines over a Unix socket, for tests of the admin worker.

import { connect, type Socket } from 'node:net';
import { controlSocketFile } from '../../src/paths.ts';
import { until } from './process.ts';

/** Answer to a request: `result` or `error`. */
export interface Answer {
  id: unknown;
  result?: unknown;
  error?: { code: string; message: string };
}

/** Client of the control socket of the relay that runs in a data directory. */
export class Control {
  readonly socket: Socket;
  closed = false;
  #text = '';
  #requests = 0;
  readonly #waiting = new Map<unknown, (answer: Answer) => void>();
  #anybody: ((answer: Answer) => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (chunk: string) => {
      this.#text += chunk;
      const lines = this.#text.split('\n');
      this.#text = lines.pop()!;
      for (const line of lines) this.#take(JSON.parse(line) as Answer);
    });
  }

  static async connect(directory: string): Promise<Control> {
    const socket = connect(controlSocketFile(directory));
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Control(socket);
  }

  /** Sends a line as it is and resolves with the next answer that has no request waiting for it. */
  line(line: string): Promise<Answer> {
    this.socket.write(`${line}\n`);
    return new Promise((resolve) => this.#anybody.push(resolve));
  }

  /** Sends a request and resolves with the whole answer. */
  answer(method: string, params: Record<string, unknown> = {}): Promise<Answer> {
    const id = ++this.#requests;
    this.socket.write(`${JSON.stringify({ id, method, params })}\n`);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** Sends a request and resolves with its result. @throws the error of the answer. */
  async ask<Result>(method: string, params: Record<string, unknown> = {}): Promise<Result> {
    const { result, error } = await this.answer(method, params);
    if (error) throw new Error(`${error.code}: ${error.message}`);
    return result as Result;
  }

  /** Resolves when the on-disk index holds every event of the log. */
  indexed(): Promise<void> {
    return until(async () => {
      const { seq, indexedSeq } = await this.ask<{ seq: number; indexedSeq: number }>('status');
      return seq === indexedSeq;
    }, 'the index');
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id) ?? this.#anybody.shift();
    this.#waiting.delete(answer.id);
    waiting?.(answer);
  }
}
