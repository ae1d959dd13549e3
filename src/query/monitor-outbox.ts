import type { Channel } from '../mailbox/channel.ts';
import { RecordOutbox } from '../mailbox/outbox.ts';
import { type Handover, monitorStands, writeHandover } from '../messages.ts';

/**
 * Hand-overs on their way to monitor. They lie ready for it and wake it only when it has seen more than
 * the subscription's snapshot, because then something may be missed; otherwise it reads them before it
 * takes the next event. Waking it for every REQ cost 20 µs.
 */
export class MonitorOutbox {
  readonly #channel: Channel;
  readonly #outbox: RecordOutbox;
  /** Where monitor has to stand so that nobody needs to wake it; null: anywhere, NaN: nowhere. */
  #stand: number | null = null;

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#outbox = new RecordOutbox(channel, () => this.#posted(), true);
  }

  /** Lies ready at the end of the turn, or when `flush` is called. */
  send(handover: Handover): void {
    if (handover.t === 'live') {
      const stand = monitorStands(handover.seq);
      this.#stand = this.#stand === null || this.#stand === stand ? stand : Number.NaN;
    } else if (handover.t === 'auth' && handover.held.length > 0) {
      // Its answer is waited for.
      this.#stand = Number.NaN;
    }
    writeHandover(this.#outbox.records, handover);
    this.#outbox.schedule();
  }

  flush(): void {
    this.#outbox.flush();
  }

  /** Behind the sending: whatever monitor takes from now on, it reads what was sent first. */
  #posted(): void {
    if (this.#stand !== null && this.#channel.otherNote !== this.#stand) this.#channel.wakeOther();
    this.#stand = null;
  }
}
