// Records ingester → io, writer → io and sync → io: frames for clients, and acknowledgements. It
// holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { assert } from '../lib/assert.ts';
import { RECORDS } from './map.ts';
import { readVanishedKey, type VanishedKey, writeVanishedKey } from './vanished.ts';

const { answer: ANSWER, close: CLOSE, left: LEFT, vanished: VANISHED } = RECORDS.answers;

/**
 * Frame for one connection. `acks` acknowledges a message: it is the cost of the message that the
 * frame answers, or 0 if it answers none. An empty frame only acknowledges (a CLOSE has no answer).
 */
export interface Answer {
  readonly connId: number;
  readonly acks: number;
  readonly frame: Buffer;
}

/** Record for io, by its type. */
export type AnswerRecord =
  | ({ readonly t: 'answer' } & Answer)
  /** io closes the connection with 1008 and this reason. */
  | { readonly t: 'close'; readonly connId: number; readonly why: string }
  /** The connection is closed, and all its frames were handled. */
  | { readonly t: 'left'; readonly connId: number }
  | ({ readonly t: 'vanished' } & Vanished);

export function writeAnswer(to: RecordWriter, connId: number, acks: number, frame: string): void {
  to.u8(ANSWER);
  to.u32(connId);
  to.u32(acks);
  to.text(frame);
}

/** Has io close the connection with 1008. */
export function writeClose(to: RecordWriter, connId: number, why: string): void {
  to.u8(CLOSE);
  to.u32(connId);
  to.text(why);
}

/** Tells io that all frames of a closed connection were handled. */
export function writeLeft(to: RecordWriter, connId: number): void {
  to.u8(LEFT);
  to.u32(connId);
}

export function readAnswer(from: RecordReader): AnswerRecord {
  const type = from.u8();
  if (type === VANISHED) return readVanished(from);
  assert(type >= ANSWER && type <= LEFT, 'a record for io has an unknown type');
  const connId = from.u32();
  if (type === CLOSE) return { t: 'close', connId, why: from.text() };
  if (type === LEFT) return { t: 'left', connId };
  return { t: 'answer', connId, acks: from.u32(), frame: from.blob() };
}

/** Answers that io holds until no more events of the key are sent. */
export interface Vanished {
  readonly key: VanishedKey;
  readonly answers: readonly Answer[];
}

/** Writes a `Vanished`, from answers with their frames as text. */
export function writeVanished(
  to: RecordWriter,
  key: VanishedKey,
  answers: readonly { connId: number; acks: number; frame: string }[],
): void {
  to.u8(VANISHED);
  writeVanishedKey(to, key);
  to.u32(answers.length);
  for (const { connId, acks, frame } of answers) {
    to.u32(connId);
    to.u32(acks);
    to.text(frame);
  }
}

function readVanished(from: RecordReader): AnswerRecord {
  const key = readVanishedKey(from);
  const answers = Array.from({ length: from.u32() }, () => ({
    connId: from.u32(),
    acks: from.u32(),
    frame: from.blob(),
  }));
  return { t: 'vanished', key, answers };
}
