// Records io → query and io → monitor: window updates and barriers. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { NO_CONNECTION } from './map.ts';
import { readVanishedKey, type VanishedKey, writeVanishedKey } from './vanished.ts';

/** Window update: all bytes to be confirmed to this worker have left for the socket. */
export interface WindowUpdate {
  connId: number;
}

/**
 * io → query, io → monitor: request for a mark. After its mark the receiver sends no event of this
 * key. Before it, the receiver reads the messages of writer, which name all removals.
 */
export interface Barrier {
  n: number;
  key: VanishedKey;
}

export function writeWindowUpdate(to: RecordWriter, connId: number): void {
  to.u32(connId);
}

export function writeBarrier(to: RecordWriter, { n, key }: Barrier): void {
  to.u32(NO_CONNECTION);
  to.u32(n);
  writeVanishedKey(to, key);
}

export function readFromIo(from: RecordReader): WindowUpdate | Barrier {
  const connId = from.u32();
  return connId === NO_CONNECTION ? { n: from.u32(), key: readVanishedKey(from) } : { connId };
}
