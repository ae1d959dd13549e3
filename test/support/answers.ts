// Expected answers of the relay (OK, CLOSED, NOTICE, EOSE), for `toEqual`.

import { expect } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import type { RefusalPrefix } from '../../src/protocol/refusal.ts';

/** `OK true` for an event, with an empty message or, given a prefix, one that begins with it. */
export function accepted({ id }: { id: string }, prefix?: RefusalPrefix): unknown[] {
  return ['OK', id, true, prefix === undefined ? '' : starting(prefix)];
}

/** `OK false` for an event, with a prefix and a sentence after it. */
export function refused({ id }: { id: string }, prefix: RefusalPrefix): unknown[] {
  return ['OK', id, false, starting(prefix)];
}

export function closed(subId: string, prefix: RefusalPrefix): unknown[] {
  return ['CLOSED', subId, starting(prefix)];
}

export function notice(prefix: RefusalPrefix): unknown[] {
  return ['NOTICE', starting(prefix)];
}

/** EOSE with this hint of NIP-67; without one given, with any hint or none. */
export function eose(subId: string, hint?: 'finish' | 'more'): unknown {
  return hint === undefined
    ? expect.toSatisfy((message) => message[0] === 'EOSE' && message[1] === subId)
    : ['EOSE', subId, [hint]];
}

/** Matches a machine-readable prefix, a colon, a blank and a text. */
function starting(prefix: RefusalPrefix): unknown {
  return expect.stringMatching(new RegExp(`^${prefix}: \\S`));
}

/** Returns the ids of events, in their order. */
export function idsOf(events: readonly NostrEvent[]): string[] {
  return events.map(({ id }) => id);
}
