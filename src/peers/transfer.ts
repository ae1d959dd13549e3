// Transfer of the events in which two relays differ.

import { setImmediate } from 'node:timers/promises';
import type { RecentIds } from '../lib/recent-ids.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { IdList } from './id-list.ts';
import { type Gate, WRONG_MAX } from './live-link.ts';
import { eventsByIds, type LocalEvents } from './local-set.ts';
import { PeerError } from './peer-error.ts';
import { isFinal, LOCAL_WINDOW, Publisher, REMOTE_WINDOW } from './publisher.ts';
import { AUTH_REQUIRED, type PublishResult, type RelayConnection } from './relay-connection.ts';
import type { TransferTally } from './tally.ts';
import type { Throttle } from './throttle.ts';

/** Number of ids in one REQ: relays answer at least 100 events of a filter. */
const IDS_A_REQUEST = 100;
/** Number of REQs that are open at once. */
const REQUESTS_MAX = 8;
/** Number of stored events that are read for an upload at once. */
const READ_EVENTS = 100;

/** Options of a transfer. */
interface TransferOptions {
  readonly signal: AbortSignal;
  /** Called after an event was answered. */
  readonly progress: () => void;
  /** Events that the receiver has refused before: they are left out, and new ones are added. */
  readonly refused?: RecentIds | undefined;
  /** Plugin that decides which events go; undefined: all. */
  readonly gate?: Gate | undefined;
  /** Rates of this direction. */
  readonly throttle?: Throttle | null | undefined;
}

/**
 * Fetches events from another relay by their ids and publishes them to the own one, which checks
 * them as it checks those of clients.
 *
 * @throws PeerError
 */
export async function download(
  ids: IdList,
  from: RelayConnection,
  to: RelayConnection,
  tally: TransferTally,
  { signal, progress, refused, gate, throttle = null }: TransferOptions,
): Promise<void> {
  let failure: Error | null = null;
  let wake = () => {};
  const handlers = {
    sent: tally.sent,
    result: resultsInto(tally, refused, progress),
    ready: () => from.resume(publisher),
    failed: (error: Error) => {
      failure ??= error;
      from.resume(publisher);
      wake();
    },
  };
  const publisher: Publisher = new Publisher(to, LOCAL_WINDOW, handlers, throttle);
  /** Events that a plugin is asked about. */
  const deciding = new Set<Promise<void>>();
  const take = (id: string, json: string, passes: boolean) => {
    if (!passes) {
      refused?.add(id);
      return;
    }
    publisher.add(id, json);
    if (publisher.isFull) from.pause(publisher);
  };
  let open = 0;
  let perRequest = IDS_A_REQUEST;
  const waiting: string[][] = [];
  const request = (asked: readonly string[]) => {
    open++;
    const left = new Set(asked);
    const over = () => {
      open--;
      wake();
    };
    const close = from.subscribe([{ ids: asked, limit: asked.length }], {
      event: (event, json) => {
        if (!left.delete(event.id)) {
          if (++tally.unasked < WRONG_MAX) return;
          failure ??= new PeerError('it sends events that were not asked for');
          wake();
          return;
        }
        const passes = gate === undefined || gate(event, json);
        if (typeof passes === 'boolean') take(event.id, json, passes);
        else {
          const decided = passes.then((one) => {
            take(event.id, json, one);
            deciding.delete(decided);
          });
          deciding.add(decided);
        }
      },
      eose: () => {
        close();
        tally.missing += left.size;
        over();
      },
      closed: (why) => {
        // Some relays allow fewer ids in a filter, or fewer subscriptions.
        if (!from.isOpen || why.startsWith(AUTH_REQUIRED) || perRequest === 1)
          failure ??= new PeerError(why);
        else {
          perRequest = Math.max(Math.floor(Math.min(perRequest, asked.length) / 2), 1);
          waiting.push([...left]);
        }
        over();
      },
    });
  };
  for (let at = 0; failure === null && (at < ids.size || open > 0 || waiting.length > 0); ) {
    signal.throwIfAborted();
    if (open >= REQUESTS_MAX || (at >= ids.size && waiting.length === 0)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    const again = waiting.pop();
    if (again !== undefined) {
      const rest = again.splice(perRequest);
      if (rest.length > 0) waiting.push(rest);
      if (again.length > 0) request(again);
      continue;
    }
    const asked = ids.hex(at, at + perRequest).filter((id) => refused?.has(id) !== true);
    at += perRequest;
    if (asked.length > 0) request(asked);
  }
  if (failure !== null) throw failure;
  await Promise.all(deciding);
  await publisher.drained();
}

/** Publishes stored events to another relay. @throws PeerError */
export async function upload(
  ids: IdList,
  events: LocalEvents,
  to: RelayConnection,
  tally: TransferTally,
  { signal, progress, refused, gate, throttle = null }: TransferOptions,
): Promise<void> {
  const result = resultsInto(tally, refused, progress);
  const publisher = new Publisher(to, REMOTE_WINDOW, { sent: tally.sent, result }, throttle);
  for (let at = 0; at < ids.size; at += READ_EVENTS) {
    signal.throwIfAborted();
    const wanted = ids.hex(at, at + READ_EVENTS).filter((id) => refused?.has(id) !== true);
    const found = eventsByIds(events, wanted);
    // Removed since the comparison.
    tally.missing += wanted.length - found.size;
    for (const [id, json] of found) {
      await publisher.room();
      if (gate !== undefined && !(await gate(JSON.parse(json) as NostrEvent, json))) {
        refused?.add(id);
        continue;
      }
      publisher.add(id, json);
    }
    await setImmediate();
  }
  await publisher.drained();
}

/** Returns the receiver of results that counts them and remembers refusals. */
function resultsInto(
  tally: TransferTally,
  refused: RecentIds | undefined,
  progress: () => void,
): (id: string, result: PublishResult) => void {
  return (id, result) => {
    tally.take(result);
    if (isFinal(result)) refused?.add(id);
    progress();
  };
}
