import { expect } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import type { RefusalPrefix } from '../../src/protocol/refusal.ts';

/** `OK true` for an event, with an empty message or, given a prefix, one that starts with it. */
export function accepted({ id }: { id: string }, prefix?: RefusalPrefix): unknown[] {
  return ['OK', id, true, prefix === undefined ? '' : starting(prefix)];
}

/** `OK false` for an event, with a prefix and a sentence. */
export function refused({ id }: { id: string }, prefix: RefusalPrefix): unknown[] {
  return ['OK', id, false, starting(prefix)];
}

export function closed(subId: string, prefix: RefusalPrefix): unknown[] {
  return ['CLOSED', subId, starting(prefix)];
}

export function notice(prefix: RefusalPrefix): unknown[] {
  return ['NOTICE', starting(prefix)];
}

/** EOSE with the hint of NIP-67, or with any or none. */
export function eose(subId: string, hint?: 'finish' | 'more'): unknown {
  return hint === undefined
    ? expect.toSatisfy((message) => message[0] === 'EOSE' && message[1] === subId)
    : ['EOSE', subId, [hint]];
}

/** A machine-readable word, a colon, a blank and something to read. */
function starting(prefix: RefusalPrefix): unknown {
  return expect.stringMatching(new RegExp(`^${prefix}: \\S`));
}

/** The ids of events, in their order. */
export function idsOf(events: readonly NostrEvent[]): string[] {
  return events.map(({ id }) => id);
}
