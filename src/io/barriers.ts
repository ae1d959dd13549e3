import type { RecordOutbox } from '../mailbox/outbox.ts';
import { type Answer, type Vanished, writeBarrier } from '../messages.ts';

interface Open {
  vanished: Vanished;
  /** The lanes whose mark has not come yet. */
  waitsFor: Set<string>;
}

/**
 * Answers to requests to vanish (NIP-62) that must not be overtaken by an event of the key: each waits
 * for a mark of every query lane and of monitor, behind which they send nothing of it. A lane that was
 * started again has nothing left to send and is waited for no longer.
 *
 * Bound: the messages that are answered are in flight until then (`limits.in_flight_bytes_max`).
 */
export class Barriers {
  readonly #outboxes = new Map<string, RecordOutbox>();
  readonly #open = new Map<number, Open>();
  readonly #passed: (vanished: Vanished) => void;
  #last = 0;

  /** `passed` is called when nothing of the key is on its way to io any more. */
  constructor(passed: (vanished: Vanished) => void) {
    this.#passed = passed;
  }

  /** A lane was linked, in the place of one that has died or for the first time; `name` is its own. */
  attach(name: string, outbox: RecordOutbox): void {
    this.#outboxes.set(name, outbox);
    for (const n of [...this.#open.keys()]) this.marked(name, n);
  }

  /** Asks for the marks; the answers are copied out of their batch. */
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

  /** The mark of a lane has come; one that is not waited for means nothing. */
  marked(name: string, n: number): void {
    this.#open.get(n)?.waitsFor.delete(name);
    this.#settle(n);
  }

  /** No lane sends anything any more. */
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

function ownMemory({ connId, settles, frame }: Answer): Answer {
  return { connId, settles, frame: Buffer.from(frame) };
}
