// Comparison of the own events with those of another relay by negentropy (NIP-77).

import { systemClock } from '../lib/clock.ts';
import { formatCount } from '../lib/format.ts';
import type { IdSet } from '../negentropy/id-set.ts';
import { MessageError } from '../negentropy/message.ts';
import { Inquiry } from '../negentropy/reconciliation.ts';
import type { IdList } from './id-list.ts';
import { PeerError } from './peer-error.ts';
import type { RelayConnection } from './relay-connection.ts';

/** Refusals of relays that compare fewer events at once: strfry's, and others of the same sense. */
const TOO_MANY = /too (?:many|large|big)|results? too/i;
/** Largest number of exchanges in one session: each narrows the differences 16 times. */
const ROUNDS_MAX = 100_000;
/** Time ahead of the clock up to which events are divided if the filter has no `until`. */
const DAY_SECONDS = 86_400;
/** Largest number of differences that one session may find, some 150 bytes each. */
const DIFFERENCES_MAX = 8_000_000;

/** Filter of a session, as JSON has it. */
export interface SyncFilter {
  readonly since?: number;
  readonly until?: number;
  readonly [condition: string]: unknown;
}

/** Receiver of the differences. */
export interface Differences {
  /** Own events that the other relay lacks. */
  readonly have: IdList;
  /** Events of the other relay that are missing here. */
  readonly need: IdList;
}

/** Options of a comparison. */
export interface ReconcileOptions {
  /** Bytes of a message at most, before they are written as hex; 0: no bound. */
  readonly frameBytes: number;
  /** Called after each exchange. */
  readonly progress: () => void;
}

/**
 * Compares the own events with those that another relay has of a filter. A relay that refuses a
 * comparison because of its size is asked for parts of the time instead.
 *
 * @param own the own events that match the filter.
 * @throws PeerError
 */
export async function reconcile(
  connection: RelayConnection,
  filter: SyncFilter,
  own: IdSet,
  differences: Differences,
  options: ReconcileOptions,
): Promise<void> {
  const { since = 0, until = systemClock.seconds() + DAY_SECONDS } = filter;
  const spans: SyncFilter[] = [filter];
  for (let span = spans.pop(); span !== undefined; span = spans.pop()) {
    const refusal = await session(connection, span, own, differences, options);
    if (refusal === null) continue;
    const from = span.since ?? since;
    const to = span.until ?? until;
    if (!TOO_MANY.test(refusal) || to <= from) throw new PeerError(refusal);
    const middle = from + Math.floor((to - from) / 2);
    spans.push({ ...span, since: middle + 1 }, { ...span, until: middle });
  }
}

/** Runs one session; returns null, or the refusal of the relay before its first answer. */
async function session(
  connection: RelayConnection,
  filter: SyncFilter,
  own: IdSet,
  { have, need }: Differences,
  { frameBytes, progress }: ReconcileOptions,
): Promise<string | null> {
  const [from, to] = own.between(filter.since ?? null, filter.until ?? null);
  const seen = new Set<string>();
  const once = (list: IdList) => (id: Uint8Array) => {
    // An answer that was cut off may name ids again.
    const key = Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1');
    if (seen.has(key)) return;
    if (seen.size >= DIFFERENCES_MAX) {
      throw new PeerError(
        `more than ${formatCount(DIFFERENCES_MAX)} events differ; compare parts of the time`,
      );
    }
    seen.add(key);
    list.push(id);
  };
  const limits = { bytes: frameBytes, ranges: Number.POSITIVE_INFINITY };
  const inquiry = new Inquiry({ set: own, from, to }, limits, {
    have: once(have),
    need: once(need),
  });
  const { id, answer: first } = await connection.negOpen(filter, inquiry.begin());
  if (first.t === 'error') return first.why;
  let answer = first.message;
  for (let round = 1; ; round++) {
    progress();
    const next = nextOf(inquiry, answer);
    if (next === null) break;
    if (round === ROUNDS_MAX) throw new PeerError('the negentropy session does not end');
    const answered = await connection.negMessage(id, next);
    if (answered.t === 'error') throw new PeerError(answered.why);
    answer = answered.message;
  }
  connection.negClose(id);
  return null;
}

function nextOf(inquiry: Inquiry, answer: Buffer): Buffer | null {
  try {
    return inquiry.next(answer);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    throw new PeerError(`the negentropy message of the relay is wrong: ${error.message}`);
  }
}
