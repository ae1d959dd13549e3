// Metrics of one ingester worker, in shared memory that only this worker writes.

import type { Rejection } from '../access/rejection.ts';
import { sharedMilliseconds } from '../lib/clock.ts';
import {
  type ClientMessageType,
  countEvent,
  countRefusal,
  countRule,
  type Refused,
} from '../metrics/counters.ts';
import { CLIENT_MESSAGE_TYPES, POLICY_RESULTS } from '../metrics/label-values.ts';
import { byLabel, cellOf, histogramOf } from '../metrics/layout.ts';
import type { Meter } from '../metrics/meter.ts';
import type { PolicyResult } from '../policy/result.ts';
import type { SignatureBackend } from '../protocol/signature/backend.ts';

const RECEIVED = byLabel(CLIENT_MESSAGE_TYPES, (type) =>
  cellOf('wok_messages_received_total', { type }),
);
const WRITER_QUEUE = cellOf('wok_rate_limit_hits_total', { limit: 'writer_queue' });
const SUBSCRIPTIONS = cellOf('wok_rate_limit_hits_total', { limit: 'subscriptions' });
const RULE = cellOf('wok_rate_limit_hits_total', { limit: 'rule' });
const WAITING = cellOf('wok_plugin_waiting_events');
const WAIT = histogramOf('wok_ingester_wait_seconds');
const BATCH = histogramOf('wok_ingester_batch_messages');
const PLUGIN = histogramOf('wok_plugin_seconds');
const RESULTS = byLabel(POLICY_RESULTS, (result) => cellOf('wok_policy_results_total', { result }));
const PARSE = histogramOf('wok_parse_seconds');
const VERIFY = histogramOf('wok_verify_seconds');

/** Metrics of an ingester worker. */
export class IngesterMeter {
  /** Time of arrival of the messages being read, in shared milliseconds. */
  arrivedAt = 0;
  readonly #meter: Meter;
  #messages = 0;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** Records the time at which io received the first message of the batch. */
  arrived(at: number): void {
    this.arrivedAt = at;
    this.#meter.observe(WAIT, Math.max(0, sharedMilliseconds() - at) / 1000);
  }

  /** Ends a batch; the number of events that wait for policies is sampled once a batch. */
  batchEnds(waitingEvents: number): void {
    const meter = this.#meter;
    if (this.#messages > 0) meter.observe(BATCH, this.#messages);
    this.#messages = 0;
    meter.set(WAITING, waitingEvents);
  }

  /** Returns the backend with its verifications measured. */
  timed(backend: SignatureBackend): Pick<SignatureBackend, 'verify'> {
    return {
      verify: (sig, message, pubkey) => {
        const startedAt = performance.now();
        const isSigned = backend.verify(sig, message, pubkey);
        this.#meter.observe(VERIFY, (performance.now() - startedAt) / 1000);
        return isSigned;
      },
    };
  }

  /** Counts a message after its parsing, which began at `startedAt` (`performance.now()`). */
  parsed(startedAt: number): void {
    this.#messages++;
    this.#meter.observe(PARSE, (performance.now() - startedAt) / 1000);
  }

  type(type: string): void {
    this.#meter.add(RECEIVED[type as ClientMessageType] ?? RECEIVED.other);
  }

  /** Counts a rejected event; `value` is the unchecked value in its place. */
  eventRefused(value: unknown, { rule, refusal }: Rejection): void {
    const outcome = refusal.startsWith('duplicate:') ? 'duplicate' : 'refused';
    const kind = (value as { kind?: unknown } | null | undefined)?.kind;
    countEvent(this.#meter, kind, outcome);
    countRule(this.#meter, rule);
    this.refused('EVENT', refusal);
    if (rule === 'writer-queue') this.#meter.add(WRITER_QUEUE);
    else if (refusal.startsWith('rate-limited:')) this.#meter.add(RULE);
  }

  /** Counts a result of an asynchronous policy, asked at `askedAt` (`performance.now()`). */
  evaluated(askedAt: number, { action }: PolicyResult): void {
    this.#meter.observe(PLUGIN, (performance.now() - askedAt) / 1000);
    this.#meter.add(RESULTS[action]);
  }

  /** Counts a shadowed event: a plugin rejected it, and its client gets an OK. */
  eventShadowed(kind: number): void {
    countEvent(this.#meter, kind, 'refused');
  }

  tooManySubscriptions(): void {
    this.#meter.add(SUBSCRIPTIONS);
  }

  unparsedRefused(of: Refused, message: string): void {
    if (of === 'EVENT') countEvent(this.#meter, undefined, 'refused');
    this.refused(of, message);
  }

  refused(of: Refused, message: string): void {
    countRefusal(this.#meter, of, message);
  }
}
