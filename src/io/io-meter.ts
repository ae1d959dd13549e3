// Metrics of station io, written by the main thread.

import { element } from '../lib/assert.ts';
import { sharedMilliseconds } from '../lib/clock.ts';
import { countEvent, countRefusal } from '../metrics/counters.ts';
import {
  ADMISSION_REASONS,
  CLOSE_REASONS,
  HTTP_RESOURCES,
  PROXY_FAULTS,
  RELAY_MESSAGE_TYPES,
} from '../metrics/label-values.ts';
import { byLabel, cellOf, histogramOf } from '../metrics/layout.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Addressee } from '../protocol/unparsed.ts';

export type CloseReason = (typeof CLOSE_REASONS)[number];
export type AdmissionReason = (typeof ADMISSION_REASONS)[number];
export type HttpResource = (typeof HTTP_RESOURCES)[number];

const CONNECTIONS = cellOf('wok_connections');
const CONNECTIONS_MAX = cellOf('wok_connections_max');
const SUBSCRIPTIONS = cellOf('wok_subscriptions');
const OPENED = cellOf('wok_connections_total');
const REFUSED = byLabel(ADMISSION_REASONS, (reason) =>
  cellOf('wok_connections_refused_total', { reason }),
);
const UNNAMED = byLabel(PROXY_FAULTS, (fault) =>
  cellOf('wok_clients_without_address_total', { fault }),
);
const CLOSED = byLabel(CLOSE_REASONS, (reason) =>
  cellOf('wok_connections_closed_total', { reason }),
);
const DURATION = histogramOf('wok_connection_duration_seconds');
const HTTP = byLabel(HTTP_RESOURCES, (resource) => cellOf('wok_http_requests_total', { resource }));
const RECEIVED_BYTES = cellOf('wok_received_bytes_total');
const SENT_BYTES = cellOf('wok_sent_bytes_total');
const SENT = byLabel(RELAY_MESSAGE_TYPES, (type) => cellOf('wok_messages_sent_total', { type }));
const IN_FLIGHT = cellOf('wok_rate_limit_hits_total', { limit: 'in_flight' });
const QUEUE_FULL = cellOf('wok_rate_limit_hits_total', { limit: 'ingester_queue' });

const code = (letter: string) => letter.charCodeAt(0);
const [C, E, K, L, N, O, U, V] = [...'CEKLNOUV'].map(code);

/** Counters of the sockets since the start. */
export interface IoCounters {
  readonly connections: number;
  readonly connectionsTotal: number;
  readonly slowClientsClosed: number;
  readonly refusedBeforeParsing: number;
}

/** Metrics of io. */
export class IoMeter {
  readonly #meter: Meter;

  /** Live counters: each read returns the current value. */
  readonly counters: IoCounters;

  constructor(meter: Meter) {
    this.#meter = meter;
    const { cells } = meter;
    this.counters = {
      get connections() {
        return element(cells[CONNECTIONS]);
      },
      get connectionsTotal() {
        return element(cells[OPENED]);
      },
      get slowClientsClosed() {
        return element(cells[CLOSED.slow]);
      },
      get refusedBeforeParsing() {
        return element(cells[IN_FLIGHT]) + element(cells[QUEUE_FULL]);
      },
    };
  }

  /** Records the maximum of simultaneous connections. */
  connectionsMax(count: number): void {
    this.#meter.set(CONNECTIONS_MAX, count);
  }

  opened(): void {
    this.#meter.add(CONNECTIONS);
    this.#meter.add(OPENED);
  }

  /** Counts a closed connection; `openedAt` is in shared milliseconds. */
  closed(reason: CloseReason, openedAt: number): void {
    this.#meter.add(CONNECTIONS, -1);
    this.#meter.add(CLOSED[reason]);
    this.#meter.observe(DURATION, (sharedMilliseconds() - openedAt) / 1000);
  }

  subscribed(change: number): void {
    this.#meter.add(SUBSCRIPTIONS, change);
  }

  notAdmitted(reason: AdmissionReason): void {
    this.#meter.add(REFUSED[reason]);
  }

  /** Counts a client of a proxy that does not pass on its address. */
  unnamedClient(fault: (typeof PROXY_FAULTS)[number]): void {
    this.#meter.add(UNNAMED[fault]);
  }

  http(resource: HttpResource): void {
    this.#meter.add(HTTP[resource]);
  }

  received(bytes: number): void {
    this.#meter.add(RECEIVED_BYTES, bytes);
  }

  /** Counts a frame for a socket; its first bytes tell its type, `["OK"…`. */
  sent(frame: Buffer): void {
    this.#sent(typeCell(frame), frame.length);
  }

  /** Counts an EVENT of `bytes` bytes for a live subscription. */
  delivered(bytes: number): void {
    this.#sent(SENT.EVENT, bytes);
  }

  #sent(type: number, bytes: number): void {
    this.#meter.add(type);
    this.#meter.add(SENT_BYTES, bytes);
  }

  /** Counts a message that was rejected without being parsed. */
  refused(to: Addressee | null, why: string): void {
    if (to?.type === 'EVENT') countEvent(this.#meter, undefined, 'refused');
    countRefusal(this.#meter, to?.type ?? 'other', why);
  }

  /** Counts a message beyond the in-flight bound of its connection, or the queue of its worker. */
  refusedBeforeParsing(limit: 'in_flight' | 'ingester_queue'): void {
    this.#meter.add(limit === 'in_flight' ? IN_FLIGHT : QUEUE_FULL);
  }
}

function typeCell(frame: Buffer): number {
  switch (frame[3]) {
    case V:
      return SENT.EVENT;
    case K:
      return SENT.OK;
    case O:
      return frame[2] === E
        ? SENT.EOSE
        : frame[2] === N
          ? SENT.NOTICE
          : frame[2] === C
            ? SENT.COUNT
            : SENT.other;
    case L:
      return SENT.CLOSED;
    case U:
      return SENT.AUTH;
    case E:
      return frame[6] === E ? SENT['NEG-ERR'] : SENT['NEG-MSG'];
    default:
      return SENT.other;
  }
}

/**
 * Returns the reason for which uWebSockets.js reports a socket as closed that io did not close: its
 * own reasons come with 1006 and a sentence, those of a client with the code of the client.
 */
export function closeReason(status: number, sentence: string): CloseReason {
  if (status !== 1006) return 'client';
  if (sentence.includes('timed out')) return 'idle';
  if (sentence.includes('too big')) return 'too_big';
  return sentence.includes('invalid') ? 'protocol' : 'lost';
}
