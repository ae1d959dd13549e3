// Encoders of the messages that the relay sends to clients, as JSON text.

import type { Refusal } from './refusal.ts';

/**
 * Completeness hint of NIP-67: `finish` when every stored match was sent, `more` when a cap cut the
 * answer.
 */
export type EoseHint = 'finish' | 'more';

/**
 * Returns `["OK",id,accepted,message]`. `id` is what the client sent, escaped, whatever it is;
 * `message` is a `Refusal` when not accepted, and may be empty when accepted (NIP-01).
 */
export function okAnswer(id: string, accepted: boolean, message: string): string {
  return `["OK",${JSON.stringify(id)},${accepted},${JSON.stringify(message)}]`;
}

/** Returns `["EOSE",subId]`, with the completeness hint of NIP-67 as a third element when given. */
export function eoseAnswer(subId: string, hint?: EoseHint): string {
  const id = JSON.stringify(subId);
  return hint === undefined ? `["EOSE",${id}]` : `["EOSE",${id},["${hint}"]]`;
}

/** Returns `["CLOSED",subId,refusal]`; the text starts with the prefix, as NIP-01 requires. */
export function closedAnswer(subId: string, refusal: Refusal): string {
  return `["CLOSED",${JSON.stringify(subId)},${JSON.stringify(refusal)}]`;
}

/** Returns `["NEG-MSG",subId,message]` (NIP-77). */
export function negMessageAnswer(subId: string, message: Buffer): string {
  return `["NEG-MSG",${JSON.stringify(subId)},"${message.toString('hex')}"]`;
}

/**
 * Returns `["NEG-ERR",subId,refusal]` (NIP-77), which ends a negentropy session; with `max` a
 * fourth element, the number of events that a session may have.
 */
export function negErrorAnswer(subId: string, refusal: Refusal, max?: number): string {
  const end = max === undefined ? '' : `,${max}`;
  return `["NEG-ERR",${JSON.stringify(subId)},${JSON.stringify(refusal)}${end}]`;
}

/** Returns `["NOTICE",text]`, for messages that can't be answered by id. */
export function noticeAnswer(text: string): string {
  return `["NOTICE",${JSON.stringify(text)}]`;
}

/** Returns `["COUNT",queryId,{"count":n}]` (NIP-45). */
export function countAnswer(queryId: string, count: number): string {
  return `["COUNT",${JSON.stringify(queryId)},{"count":${count}}]`;
}

/** Returns `["AUTH",challenge]` (NIP-42). */
export function authChallenge(challenge: string): string {
  return `["AUTH",${JSON.stringify(challenge)}]`;
}

/** Character code of the `]` that ends a message. */
export const MESSAGE_END = 0x5d;

/** Returns the beginning of an EVENT message; canonical JSON and `MESSAGE_END` complete it. */
export function eventPrefix(subId: string): string {
  return `["EVENT",${JSON.stringify(subId)},`;
}
