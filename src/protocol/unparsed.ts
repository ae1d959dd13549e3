// Answers to frames that are rejected without being parsed: finds the message type and the id by a
// scan.

import { closedAnswer, negErrorAnswer, noticeAnswer, okAnswer } from './answers.ts';
import type { Refusal } from './refusal.ts';

/**
 * Number of bytes at the start of a frame that are searched for the message type: `["` and white
 * space.
 */
const TYPE_WITHIN = 64;
/**
 * Number of bytes searched for the subscription id: 64 characters, each escaped, and the text
 * around them.
 */
const SUBSCRIPTION_WITHIN = 1024;
const ID_KEY = Buffer.from('"id"');

/** Reply id of a refusal: the message type, and the id that the client waits for. */
export interface Addressee {
  type: 'EVENT' | 'AUTH' | 'REQ' | 'COUNT' | 'NEG-OPEN' | 'NEG-MSG';
  id: string;
}

/**
 * Returns the reply id of a frame that is not parsed, because there is no room for it or because it
 * is not JSON; null when none is found or its message type has no refusal with an id. The id is
 * found by a scan for its key, which costs a fraction of a parse and no memory.
 */
export function addresseeOf(frame: Buffer): Addressee | null {
  const start = frame.toString('latin1', 0, TYPE_WITHIN);
  const type = /^\s*\[\s*"(EVENT|AUTH|REQ|COUNT|NEG-OPEN|NEG-MSG)"/.exec(start)?.[1];
  if (type === undefined) return null;
  const id = type === 'EVENT' || type === 'AUTH' ? eventIdIn(frame) : subscriptionIdIn(frame);
  return id === null ? null : { type: type as Addressee['type'], id };
}

/**
 * Returns the refusal: OK for an EVENT or AUTH, CLOSED for a REQ or COUNT, NEG-ERR for negentropy,
 * NOTICE for the rest.
 */
export function refusalTo(addressee: Addressee | null, why: Refusal): string {
  switch (addressee?.type) {
    case 'EVENT':
    case 'AUTH':
      return okAnswer(addressee.id, false, why);
    case 'REQ':
    case 'COUNT':
      return closedAnswer(addressee.id, why);
    case 'NEG-OPEN':
    case 'NEG-MSG':
      return negErrorAnswer(addressee.id, why);
    default:
      return noticeAnswer(why);
  }
}

/** Returns true if a frame that has not been parsed looks like a CLOSE. */
export function looksLikeClose(frame: Buffer): boolean {
  return /^\s*\[\s*"CLOSE"/.test(frame.toString('latin1', 0, TYPE_WITHIN));
}

function eventIdIn(frame: Buffer): string | null {
  // Inside strings the quotes are escaped, so this finds keys (and tag elements, which no colon
  // follows).
  for (let at = frame.indexOf(ID_KEY); at >= 0; at = frame.indexOf(ID_KEY, at + 1)) {
    const behind = frame.toString('latin1', at + ID_KEY.length, at + ID_KEY.length + 80);
    const id = /^\s*:\s*"([0-9a-f]{64})"/.exec(behind)?.[1];
    if (id !== undefined) return id;
  }
  return null;
}

function subscriptionIdIn(frame: Buffer): string | null {
  const start = frame.toString('utf8', 0, SUBSCRIPTION_WITHIN);
  const text = /^\s*\[\s*"[A-Z-]+"\s*,\s*("(?:[^"\\]|\\.)*")/.exec(start)?.[1];
  if (text === undefined) return null;
  try {
    return (JSON.parse(text) as string).toWellFormed();
  } catch {
    return null;
  }
}
