// Barriers that order answers to requests to vanish (NIP-62) after all frames in flight. Owned by
// the main thread.

import type { RecordOutbox } from '../channel/outbox.ts';
import type { Answer, Vanished } from '../messages/answers.ts';
import { writeBarrier } from '../messages/io-query.ts';

interface Open {
  vanished: Vanished;
  /** Names of the workers that have not sent their mark yet. */
  waitsFor: Set<string>;
}

/**
 * Answers to requests to vanish (NIP-62), which an event of the key must not overtake. Each answer
 * waits for a mark of every query worker and of monitor; after its mark a worker sends nothing of
 * the key. A restarted worker has nothing left to send, so it is no longer waited for.
 *
 * Bound: the answered messages stay in flight until then (`limits.in_flight_bytes_max`).
 */
export class Barriers {
  readonly #outboxes = new Map<string, RecordOutbox>();
  readonly #open = new Map<number, Open>();
  readonly #passed: (vanished: Vanished) => void;
  #last = 0;

  /** @param passed called when no frame of the key is in flight to io any more. */
  constructor(passed: (vanished: Vanished) => void) {
    this.#passed = passed;
  }

  /** Connects a worker, for the first time or after a restart; `name` identifies it. */
  attach(name: string, outbox: RecordOutbox): void {
    this.#outboxes.set(name, outbox);
    for (const n of [...this.#open.keys()]) this.marked(name, n);
  }

  /** Requests the marks of all workers. The answers are copied, because their batch is reused. */
  begin({ key, answers }: Vanished): void {
    const n = (this.#last + 1) >>> 0;
    this.#last = n;
    const vanished = { key, answers: answers.map(ownMemory) };
    this.#open.set(n, { vanished, waitsFor: new Set(this.#outboxes.keys()) });
    for (const outbox of this.#outboxes.values()) {
      writeBarrier(outbox.records, { n, key });
      outbox.flush();
    }
    this.#settle(n);
  }

  /** Records the mark of a worker; ignores a mark that is not waited for. */
  marked(name: string, n: number): void {
    this.#open.get(n)?.waitsFor.delete(name);
    this.#settle(n);
  }

  /** Passes all barriers at shutdown, when no worker sends anything any more. */
  passAll(): void {
    for (const [n, { waitsFor }] of [...this.#open]) {
      waitsFor.clear();
      this.#settle(n);
    }
  }

  #settle(n: number): void {
    const open = this.#open.get(n);
    if (open === undefined || open.waitsFor.size > 0) return;
    this.#open.delete(n);
    this.#passed(open.vanished);
  }
}

function ownMemory({ connId, acks, frame }: Answer): Answer {
  return { connId, acks, frame: Buffer.from(frame) };
}
