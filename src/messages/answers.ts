// Records ingester → io and writer → io: frames for clients, and acknowledgements. It holds no
// state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { NO_CONNECTION } from './map.ts';
import { readVanishedKey, type VanishedKey, writeVanishedKey } from './vanished.ts';

/** Value in place of `acks`: io closes the connection with 1008; the frame is the reason. */
export const CLOSES = 0xffff_ffff;

/** Value in place of `acks`: the connection is closed, and all its frames were handled. */
export const LEFT = 0xffff_fffe;

/**
 * Frame for one connection. `acks` acknowledges a message: it is the cost of the message that
 * the frame answers, or 0 if it answers none. An empty frame only acknowledges (a CLOSE has no
 * answer).
 */
export interface Answer {
  connId: number;
  acks: number;
  frame: Buffer;
}

export function writeAnswer(to: RecordWriter, connId: number, acks: number, frame: string): void {
  to.u32(connId);
  to.u32(acks);
  to.text(frame);
}

/** Reads a record of writer for io: an answer, or the end of a key that has vanished. */
export function readAnswer(from: RecordReader): Answer | Vanished {
  const connId = from.u32();
  if (connId === NO_CONNECTION) return readVanished(from);
  return { connId, acks: from.u32(), frame: from.blob() };
}

/** Answers that io holds until no more events of the key are sent. */
export interface Vanished {
  key: VanishedKey;
  answers: Answer[];
}

/** Writes a `Vanished`, from answers with their frames as text. */
export function writeVanished(
  to: RecordWriter,
  key: VanishedKey,
  answers: readonly { connId: number; acks: number; frame: string }[],
): void {
  to.u32(NO_CONNECTION);
  writeVanishedKey(to, key);
  to.u32(answers.length);
  for (const { connId, acks, frame } of answers) writeAnswer(to, connId, acks, frame);
}

function readVanished(from: RecordReader): Vanished {
  const key = readVanishedKey(from);
  const answers = Array.from({ length: from.u32() }, () => ({
    connId: from.u32(),
    acks: from.u32(),
    frame: from.blob(),
  }));
  return { key, answers };
}
