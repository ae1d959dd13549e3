// EVENT messages in one ingester worker: validation, policies, and the hand-over to the writer.

import { type Rejection, refuse } from '../access/rejection.ts';
import type { Channel } from '../channel/channel.ts';
import { RecordOutbox } from '../channel/outbox.ts';
import type { Config } from '../config/options.ts';
import { present } from '../lib/assert.ts';
import { queuedEvents } from '../lib/message-cost.ts';
import { writeCheckedEvent } from '../messages/ingester-writer.ts';
import { EVENTS } from '../policy/rates/shared-rates.ts';
import { PLUGIN_QUEUE_FULL, type PolicyResult } from '../policy/result.ts';
import { okAnswer } from '../protocol/answers.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { MessageScan } from '../protocol/message-scan.ts';
import { BodyMaker } from '../store/body/body.ts';
import type { ValidatedEvent } from '../store/event.ts';
import type { EventValidator } from '../validation/event-validator.ts';
import type { IngesterContext } from './context.ts';
import { InOrderQueue } from './in-order-queue.ts';
import { AUTH_REQUIRED, idIn } from './reply-id.ts';

const WRITER_FULL = refuse(
  'writer-queue',
  'rate-limited: the write queue of this relay is full; try again',
);

/** Handler of EVENT messages: event validator, policy pipeline, then the queue of the writer. */
export class Publishing {
  readonly #context: IngesterContext;
  readonly #validator: EventValidator;
  /** Validator of the events that `wok import` brings. */
  readonly #imports: EventValidator;
  /** Events that wait for their policy result. */
  readonly #waiting: InOrderQueue;
  #writer: RecordOutbox | null = null;
  /**
   * Number of events gathered for the writer and not sent yet. They are added to the shared counter
   * only when they are sent, because they would never be released from it if this worker crashed.
   */
  #unposted = 0;

  readonly #bodies: BodyMaker;

  constructor(
    context: IngesterContext,
    validator: EventValidator,
    imports: EventValidator,
    { plugins, storage }: Config,
  ) {
    this.#bodies = new BodyMaker(storage.pack_bodies);
    this.#context = context;
    this.#validator = validator;
    this.#imports = imports;
    this.#waiting = new InOrderQueue(plugins.waiting_events_max, plugins.waiting_bytes_max);
  }

  toWriter(channel: Channel): void {
    this.#writer = new RecordOutbox(channel, () => {
      this.#context.parts.writerEvents.add(this.#unposted);
      this.#unposted = 0;
    });
  }

  /** Number of events that wait for their policy result. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Sends the gathered events to the writer. */
  flush(): void {
    this.#writer?.flush();
  }

  /** Handles the value of an EVENT message; `bytes` is the whole message, scanned by `scan`. */
  event(connId: number, value: unknown, bytes: Buffer, scan: MessageScan): void {
    const tooMany = this.#context.rate(connId, EVENTS);
    if (tooMany !== null) {
      this.#refuseUnchecked(connId, value, tooMany);
      return;
    }
    // Before validation: while the queue is full, no work is done for the clients that fill it.
    if (this.#isFull()) {
      this.#refuseUnchecked(connId, value, WRITER_FULL);
      return;
    }
    const from = this.#context.connections.of(connId);
    const isImport = from.source === 'import';
    const validator = isImport ? this.#imports : this.#validator;
    const checked = validator.check(value, bytes, scan, from);
    if ('refusal' in checked) {
      const { refusal, rule } = checked;
      this.#context.meter.eventRefused(value, checked);
      if (rule !== 'duplicate') this.#context.rejections.note(value, 'refused', rule, refusal);
      if (rule === 'shape' || rule === 'id' || rule === 'signature')
        this.#context.violation(connId);
      if (refusal.startsWith(AUTH_REQUIRED)) this.#context.challenge(connId);
      this.#context.answer(connId, okAnswer(idIn(value), rule === 'duplicate', refusal));
      return;
    }
    if (this.#context.parts.pipeline.asksWrites && !isImport) this.#evaluate(connId, checked);
    else this.#store(connId, checked);
  }

  /** Asks the policy pipeline, maybe asynchronously; events of a connection keep their order. */
  #evaluate(connId: number, passed: ValidatedEvent): void {
    const { event, json } = passed;
    const { length } = json;
    const { handling } = this.#context;
    const askedAt = performance.now();
    const from = this.#context.connections.of(connId);
    const mayWait = this.#waiting.admits(length);
    const evaluated = this.#context.parts.pipeline.evaluateWrite({ event, json, from }, mayWait);
    if (!(evaluated instanceof Promise)) {
      if (!this.#waiting.has(connId)) {
        this.#applyResult(connId, passed, evaluated);
        return;
      }
      if (!mayWait) {
        this.#applyResult(connId, passed, PLUGIN_QUEUE_FULL);
        return;
      }
    }
    const place = this.#waiting.take(connId, length);
    const kept = { ...passed, json: Buffer.from(json) };
    const settle = (result: PolicyResult) =>
      place.settle(() => {
        this.#context.resume(handling);
        this.#applyResult(connId, kept, result);
      });
    if (evaluated instanceof Promise) {
      void evaluated.then((result) => {
        this.#context.meter.evaluated(askedAt, result);
        settle(result);
      });
    } else settle(evaluated);
  }

  #applyResult(connId: number, passed: ValidatedEvent, result: PolicyResult): void {
    if (result.action === 'accept') {
      this.#store(connId, passed);
      return;
    }
    const { event } = passed;
    if (result.action === 'refuse') {
      this.#refuseEvent(connId, event, refuse(result.rule, result.message), result.by);
      return;
    }
    if (result.action === 'hold') {
      this.#context.rejections.note(event, 'quarantined', result.rule, result.why, result.by);
      this.#store(connId, passed, result.why);
      return;
    }
    this.#context.meter.eventShadowed(event.kind);
    this.#context.rejections.note(event, 'shadowed', result.rule, result.message, result.by);
    this.#context.answer(connId, okAnswer(event.id, true, result.message));
  }

  /** Rejects the value in the place of an event before it is checked. */
  #refuseUnchecked(connId: number, value: unknown, rejection: Rejection): void {
    this.#context.meter.eventRefused(value, rejection);
    this.#context.rejections.note(value, 'refused', rejection.rule, rejection.refusal);
    this.#context.answer(connId, okAnswer(idIn(value), false, rejection.refusal));
  }

  /** Rejects an event that the validator has accepted. */
  #refuseEvent(connId: number, event: NostrEvent, rejection: Rejection, by = ''): void {
    this.#context.meter.eventRefused(event, rejection);
    if (rejection.refusal.startsWith(AUTH_REQUIRED)) this.#context.challenge(connId);
    this.#context.rejections.note(event, 'refused', rejection.rule, rejection.refusal, by);
    this.#context.answer(connId, okAnswer(event.id, false, rejection.refusal));
  }

  /** Executes a request to the relay itself (NIP-43), which is neither stored nor passed on. */
  #request(connId: number, event: NostrEvent): void {
    const { authed } = this.#context.connections.of(connId);
    const { cost } = this.#context;
    void this.#context.members.request(event, authed).then(({ ok, text }) => {
      if (text.startsWith(AUTH_REQUIRED)) this.#context.challenge(connId);
      this.#context.answer(connId, okAnswer(event.id, ok, text), cost);
    });
  }

  /** Returns true if the queue of the writer has no room for the event that is being handled. */
  #isFull(): boolean {
    const { writerEvents, config } = this.#context.parts;
    const { queue_events_max: max } = config.writer;
    const used = writerEvents.used + this.#unposted;
    const wanted = queuedEvents(this.#context.cost);
    // Small events get an eighth more room, so that a few large ones that fill the queue do not
    // cause their rejection.
    return used > 0 && used + wanted > max && (wanted > 1 || used >= max + max / 8);
  }

  #store(connId: number, passed: ValidatedEvent, held = ''): void {
    if (this.#context.members.concerns(passed.event.kind)) {
      this.#request(connId, passed.event);
      return;
    }
    if (this.#isFull()) {
      this.#refuseEvent(connId, passed.event, WRITER_FULL);
      return;
    }
    this.#unposted += queuedEvents(this.#context.cost);
    const writer = present(this.#writer, 'channel to writer');
    const body = this.#bodies.make(passed.json);
    const { arrivedAt, cost } = this.#context.handling;
    writeCheckedEvent(writer.records, connId, passed, body, arrivedAt, cost, held);
    writer.touch();
  }
}
