// Sending end of the channel from a query worker to io.

import type { Channel } from '../channel/channel.ts';
import { RecordOutbox } from '../channel/outbox.ts';
import {
  ANSWER,
  CLOSE_CONNECTION,
  CLOSED,
  EOSE,
  EVENTS,
  GONE,
  HOLD,
  MARK,
  OPEN,
  RESUME,
  writeQueryRecordHead,
} from '../messages/query-io.ts';
import {
  closedAnswer,
  countAnswer,
  type EoseHint,
  eoseAnswer,
  MESSAGE_END,
} from '../protocol/answers.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { SendWindows } from './send-windows.ts';

/** Subscription that is answered; `cost` is that of the REQ that the answer acknowledges, or 0. */
export interface Asked {
  readonly connId: number;
  readonly subNo: number;
  readonly subId: string;
  readonly cost: number;
}

/** COUNT that is answered. */
interface AskedCount {
  readonly connId: number;
  readonly queryId: string;
  readonly cost: number;
}

/** Writes the records of a query worker for io: stored events, and the frames around them. */
export class IoOutbox {
  readonly #outbox: RecordOutbox;
  readonly #windows: SendWindows;
  /** EVENTS record that is being written: offset of its payload's length, and its subscription. */
  #lengthAt = -1;
  #connId = 0;
  #subNo = 0;

  constructor(channel: Channel, windows: SendWindows) {
    this.#outbox = new RecordOutbox(channel);
    this.#windows = windows;
  }

  open(connId: number, subNo: number): void {
    this.#record(OPEN, connId, subNo, 0, '');
  }

  /** Writes one stored event; consecutive events of one subscription share a record. */
  event(connId: number, subNo: number, prefix: Buffer, json: Buffer): void {
    const { records } = this.#outbox;
    const confirm = this.#windows.confirm(connId);
    if (confirm || this.#lengthAt < 0 || this.#connId !== connId || this.#subNo !== subNo) {
      this.#endEvents();
      writeQueryRecordHead(records, EVENTS, connId, subNo, 0, confirm ? 1 : 0);
      this.#lengthAt = records.length;
      this.#connId = connId;
      this.#subNo = subNo;
      records.u32(0);
    }
    const before = records.length;
    records.u32(prefix.length + json.length + 1);
    records.raw(prefix);
    records.raw(json);
    records.u8(MESSAGE_END);
    this.#windows.sent(connId, records.length - before);
  }

  /** Asks io for a confirmation without an event, if one is due and not asked for yet. */
  askConfirmation(connId: number): void {
    if (!this.#windows.confirm(connId)) return;
    this.#endEvents();
    const { records } = this.#outbox;
    writeQueryRecordHead(records, EVENTS, connId, 0, 0, 1);
    records.u32(0);
    this.#outbox.schedule();
  }

  /** Writes EOSE, with a hint (NIP-67) or without. */
  eose({ connId, subNo, subId, cost }: Asked, hint: EoseHint | undefined): void {
    this.#record(EOSE, connId, subNo, cost, eoseAnswer(subId, hint));
  }

  /** Holds live events of the subscription until `resume`. */
  hold(connId: number, subNo: number): void {
    this.#record(HOLD, connId, subNo, 0, '');
  }

  resume(connId: number, subNo: number): void {
    this.#record(RESUME, connId, subNo, 0, '');
  }

  closed({ connId, subNo, subId, cost }: Asked, why: Refusal): void {
    this.#record(CLOSED, connId, subNo, cost, closedAnswer(subId, why));
  }

  gone(connId: number, subNo: number, acks: number): void {
    this.#record(GONE, connId, subNo, acks, '');
  }

  count({ connId, queryId, cost }: AskedCount, count: number): void {
    this.#record(ANSWER, connId, 0, cost, countAnswer(queryId, count));
  }

  countRefused({ connId, queryId, cost }: AskedCount, why: Refusal): void {
    this.#record(ANSWER, connId, 0, cost, closedAnswer(queryId, why));
  }

  /** Writes a frame that belongs to no subscription; `acks` as in `QueryRecord`. */
  say(connId: number, acks: number, frame: string): void {
    this.#record(ANSWER, connId, 0, acks, frame);
  }

  /** Has io close the connection after all frames before it were sent. */
  closeForPolicy(connId: number, why: Refusal): void {
    this.#record(CLOSE_CONNECTION, connId, 0, 0, why);
  }

  /** Answers a barrier: io reads the mark after all records sent so far. */
  mark(n: number): void {
    this.#record(MARK, 0, n, 0, '');
    this.flush();
  }

  /** Sends the records of a slice. */
  flush(): void {
    this.#endEvents();
    this.#outbox.flush();
  }

  #record(type: number, connId: number, subNo: number, acks: number, frame: string): void {
    this.#endEvents();
    writeQueryRecordHead(this.#outbox.records, type, connId, subNo, acks, 0);
    this.#outbox.records.text(frame);
    this.#outbox.schedule();
  }

  #endEvents(): void {
    if (this.#lengthAt < 0) return;
    const { records } = this.#outbox;
    records.patchU32(this.#lengthAt, records.length - this.#lengthAt - 4);
    this.#lengthAt = -1;
    this.#outbox.touch();
  }
}
