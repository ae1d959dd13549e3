// Live events between the own relay and another one.

import type { RecentIds } from '../lib/recent-ids.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { compileFilter, type Filter, filterJson } from '../protocol/filter.ts';
import { PeerError } from './peer-error.ts';
import { isFinal, Publisher, type Window } from './publisher.ts';
import type { PublishResult, RelayConnection } from './relay-connection.ts';
import type { TransferTally } from './tally.ts';
import type { Throttle } from './throttle.ts';

/** Decision of a plugin about an event. */
export type Gate = (event: NostrEvent, json: string) => Promise<boolean> | boolean;

/** Decisions by direction; undefined: every event goes. */
export interface Gates {
  readonly down?: Gate | undefined;
  readonly up?: Gate | undefined;
}

/** Number of events that were not asked for, or with wrong signatures, that end a connection. */
export const WRONG_MAX = 100;
const WRONG = /^invalid: (?:id|sig)/;

/** Link for live events in one direction. */
interface LinkOptions {
  readonly filters: readonly Filter[];
  readonly window: Window;
  readonly tally: TransferTally;
  /** Events that came the other way: they are not sent back. */
  readonly came: RecentIds;
  /** Events that went this way. */
  readonly went: RecentIds;
  readonly gate: Gate;
  /** Events that the receiver refuses for good. */
  readonly refused: RecentIds;
  /** Rates of this direction; null: none. */
  readonly throttle: Throttle | null;
  /** Called when every new event of the sender comes from now on. */
  readonly begun: () => void;
}

/**
 * Passes live events on from one relay to another until a connection ends. A slow receiver slows
 * the sender down. It rejects with a PeerError if the sender sends too many events that were not
 * asked for, or that their authors did not sign.
 */
export function passOn(
  from: RelayConnection,
  to: RelayConnection,
  options: LinkOptions,
): Promise<never> {
  const { filters, window, tally, came, went, gate, refused, throttle, begun } = options;
  const matchers = filters.map((filter) => compileFilter({ ...filter, limit: null }));
  return new Promise((_, reject) => {
    let wrong = 0;
    const isWrong = (what: string) => {
      if (++wrong >= WRONG_MAX) reject(new PeerError(`it sends ${what}`));
    };
    const result = (id: string, answer: PublishResult) => {
      tally.take(answer);
      if (isFinal(answer)) refused.add(id);
      if (!answer.ok && WRONG.test(answer.message)) isWrong('events with wrong ids or signatures');
    };
    const ready = () => from.resume(publisher);
    const publisher = new Publisher(
      to,
      window,
      { sent: tally.sent, result, ready, failed: reject },
      throttle,
    );
    /** Number of events that a plugin is asked about. */
    let asked = 0;
    const holder = {};
    const send = (id: string, json: string) => {
      went.add(id);
      publisher.add(id, json);
      if (publisher.isFull) from.pause(publisher);
    };
    from.subscribe(
      // No stored events.
      filters.map((filter) => filterJson({ ...filter, limit: 0 })),
      {
        event: (event, json) => {
          if (came.has(event.id) || went.has(event.id)) return;
          if (!isEvent(event) || !matchers.some((matches) => matches(event))) {
            tally.unasked++;
            isWrong('events that were not asked for');
            return;
          }
          const passes = gate(event, json);
          if (passes === true) send(event.id, json);
          else if (passes !== false) {
            if (++asked >= window.events) from.pause(holder);
            void passes.then((decided) => {
              if (--asked < window.events) from.resume(holder);
              if (decided && to.isOpen) send(event.id, json);
            });
          }
        },
        eose: begun,
        closed: (why) => reject(new PeerError(why)),
      },
    );
    void from.ended.then((why) => reject(new PeerError(why)));
    void to.ended.then((why) => reject(new PeerError(why)));
  });
}

/** Returns true if a value has the fields that a filter looks at. */
function isEvent({ id, pubkey, kind, created_at, tags }: NostrEvent): boolean {
  return (
    typeof id === 'string' &&
    typeof pubkey === 'string' &&
    Number.isSafeInteger(kind) &&
    Number.isSafeInteger(created_at) &&
    Array.isArray(tags) &&
    tags.every((tag) => Array.isArray(tag) && tag.every((element) => typeof element === 'string'))
  );
}
