// Sending end of the channel from a query worker to monitor.

import type { Channel } from '../channel/channel.ts';
import { RecordOutbox } from '../channel/outbox.ts';
import { type Handover, headWord, writeHandover } from '../messages/query-monitor.ts';

/**
 * Outbox of hand-overs to monitor. It wakes monitor unless that has seen exactly the events of the
 * subscription's snapshot: then no event can be missed, because monitor reads the hand-over before
 * it takes the next event. Waking it for every REQ cost 20 µs.
 */
export class MonitorOutbox {
  readonly #channel: Channel;
  readonly #outbox: RecordOutbox;
  /** Progress word with which monitor need not be woken; null: any, NaN: none. */
  #expectedProgress: number | null = null;

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#outbox = new RecordOutbox(channel, () => this.#posted(), true);
  }

  /** Queues a hand-over; it is sent at the end of the turn, or by `flush`. */
  send(handover: Handover): void {
    if (handover.t === 'live') {
      const expected = headWord(handover.seq);
      this.#expectedProgress =
        this.#expectedProgress === null || this.#expectedProgress === expected
          ? expected
          : Number.NaN;
    } else if (handover.t === 'auth' && handover.held.length > 0) {
      // The answer is awaited.
      this.#expectedProgress = Number.NaN;
    }
    writeHandover(this.#outbox.records, handover);
    this.#outbox.schedule();
  }

  flush(): void {
    this.#outbox.flush();
  }

  /** Called after a batch was sent: monitor reads it before any event that it takes from now on. */
  #posted(): void {
    if (this.#expectedProgress !== null && this.#channel.peerProgress !== this.#expectedProgress)
      this.#channel.wakePeer();
    this.#expectedProgress = null;
  }
}
