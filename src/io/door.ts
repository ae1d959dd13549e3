import { closedAnswer, noticeAnswer, okAnswer } from '../protocol/answers.ts';
import type { Refusal } from '../protocol/refusal.ts';

/** What may stand in front of the first element: `["` and white space. */
const VERB_WITHIN = 64;
/** A subscription id of 64 characters, each escaped, and what stands around it. */
const SUBSCRIPTION_WITHIN = 1024;
const ID_KEY = Buffer.from('"id"');

/**
 * The refusal of a frame that nobody will parse, addressed as the parsed message's would be: OK for an
 * EVENT, CLOSED for a REQ or COUNT, NOTICE for the rest. The id is found by a scan for its key, which
 * costs a fraction of a parse and no memory.
 */
export function refuseAtDoor(frame: Buffer, why: Refusal): string {
  const start = frame.toString('latin1', 0, VERB_WITHIN);
  const verb = /^\s*\[\s*"([A-Z-]{1,16})"/.exec(start)?.[1];
  if (verb === 'EVENT') {
    const id = eventIdIn(frame);
    if (id !== null) return okAnswer(id, false, why);
  } else if (verb === 'REQ' || verb === 'COUNT') {
    const id = subscriptionIdIn(frame);
    if (id !== null) return closedAnswer(id, why);
  }
  return noticeAnswer(why);
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
  const text = /^\s*\[\s*"[A-Z]+"\s*,\s*("(?:[^"\\]|\\.)*")/.exec(start)?.[1];
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as string;
  } catch {
    return null;
  }
}
