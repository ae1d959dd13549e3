// Records writer → sync: stored and removed events, and who owns the log. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { assert } from '../lib/assert.ts';
import { RECORDS } from './map.ts';

const { begin: BEGIN, end: END, added: ADDED, removed: REMOVED } = RECORDS.writerSync;

/** Stored event, as far as sets of ids need it. */
export interface SetEvent {
  readonly createdAt: number;
  readonly kind: number;
  /** Seconds since 1970; 0: never. */
  readonly expiresAt: number;
  /** 32 bytes. */
  readonly id: Uint8Array;
}

/** Record of the writer. */
export type LogChange =
  /** Every event of the log up to `head` is in the database; later ones follow as records. */
  | { readonly t: 'begin'; readonly head: number }
  /** Another process owns the log: no records follow until the next `begin`. */
  | { readonly t: 'end' }
  | { readonly t: 'added'; readonly event: SetEvent }
  | { readonly t: 'removed'; readonly createdAt: number; readonly id: Uint8Array };

export function writeLogBegin(to: RecordWriter, head: number): void {
  to.u8(BEGIN);
  to.f64(head);
}

export function writeLogEnd(to: RecordWriter): void {
  to.u8(END);
}

export function writeAdded(
  to: RecordWriter,
  createdAt: number,
  kind: number,
  expiresAt: number,
  id: Uint8Array,
): void {
  to.u8(ADDED);
  to.f64(createdAt);
  to.u16(kind);
  to.f64(expiresAt);
  to.blob(id);
}

export function writeRemoved(to: RecordWriter, createdAt: number, id: Uint8Array): void {
  to.u8(REMOVED);
  to.f64(createdAt);
  to.blob(id);
}

/** Reads a record; its id is a view of the batch. */
export function readLogChange(from: RecordReader): LogChange {
  const type = from.u8();
  if (type === BEGIN) return { t: 'begin', head: from.f64() };
  if (type === END) return { t: 'end' };
  assert(type === ADDED || type === REMOVED, 'a record of the writer has an unknown type');
  const createdAt = from.f64();
  if (type === REMOVED) return { t: 'removed', createdAt, id: from.blob() };
  const kind = from.u16();
  const expiresAt = from.f64();
  return { t: 'added', event: { createdAt, kind, expiresAt, id: from.blob() } };
}
