// Records io → query and io → monitor: window updates and barriers. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { assert } from '../lib/assert.ts';
import { RECORDS } from './map.ts';
import { readVanishedKey, type VanishedKey, writeVanishedKey } from './vanished.ts';

const { windowUpdate: WINDOW_UPDATE, barrier: BARRIER } = RECORDS.fromIo;

/** Window update: all bytes to be confirmed to this worker have left for the socket. */
export interface WindowUpdate {
  t: 'window-update';
  connId: number;
}

/**
 * io → query, io → monitor: request for a mark. After its mark the receiver sends no event of this
 * key. Before it, the receiver reads the messages of writer, which name all removals.
 */
export interface Barrier {
  t: 'barrier';
  n: number;
  key: VanishedKey;
}

export function writeWindowUpdate(to: RecordWriter, connId: number): void {
  to.u8(WINDOW_UPDATE);
  to.u32(connId);
}

export function writeBarrier(to: RecordWriter, { n, key }: Pick<Barrier, 'n' | 'key'>): void {
  to.u8(BARRIER);
  to.u32(n);
  writeVanishedKey(to, key);
}

export function readFromIo(from: RecordReader): WindowUpdate | Barrier {
  const type = from.u8();
  if (type === WINDOW_UPDATE) return { t: 'window-update', connId: from.u32() };
  assert(type === BARRIER, 'a record of io has an unknown type');
  return { t: 'barrier', n: from.u32(), key: readVanishedKey(from) };
}
