import { closedAnswer, negErrorAnswer, noticeAnswer, okAnswer } from './answers.ts';
import type { Refusal } from './refusal.ts';

/** What may stand in front of the first element: `["` and white space. */
const VERB_WITHIN = 64;
/** A subscription id of 64 characters, each escaped, and what stands around it. */
const SUBSCRIPTION_WITHIN = 1024;
const ID_KEY = Buffer.from('"id"');

/** Whom the refusal of a message is addressed to: its verb, and the id that the client waits for. */
export interface Addressee {
  verb: 'EVENT' | 'AUTH' | 'REQ' | 'COUNT' | 'NEG-OPEN' | 'NEG-MSG';
  id: string;
}

/**
 * The addressee of a frame that nobody parses, because there is no room for it or because it is not
 * JSON; null when none is found or its verb has no addressed refusal. The id is found by a scan for its
 * key, which costs a fraction of a parse and no memory.
 */
export function addresseeOf(frame: Buffer): Addressee | null {
  const start = frame.toString('latin1', 0, VERB_WITHIN);
  const verb = /^\s*\[\s*"(EVENT|AUTH|REQ|COUNT|NEG-OPEN|NEG-MSG)"/.exec(start)?.[1];
  if (verb === undefined) return null;
  const id = verb === 'EVENT' || verb === 'AUTH' ? eventIdIn(frame) : subscriptionIdIn(frame);
  return id === null ? null : { verb: verb as Addressee['verb'], id };
}

/** OK for an EVENT or AUTH, CLOSED for a REQ or COUNT, NEG-ERR for negentropy, NOTICE for the rest. */
export function refusalTo(addressee: Addressee | null, why: Refusal): string {
  switch (addressee?.verb) {
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

/** Whether a frame that nobody parsed yet looks like a CLOSE. */
export function looksLikeClose(frame: Buffer): boolean {
  return /^\s*\[\s*"CLOSE"/.test(frame.toString('latin1', 0, VERB_WITHIN));
}

function eventIdIn(frame: Buffer): string | null {
  // Inside strings the quotes are escaped, so this finds keys (and tag elements, which no colon follows).
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
