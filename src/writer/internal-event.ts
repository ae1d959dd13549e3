// Events that the relay itself adds to the log.

import { RecordReader, RecordWriter } from '../channel/records.ts';
import { writeCheckedEvent } from '../messages/ingester-writer.ts';
import { canonicalJson } from '../protocol/canonical.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { BodyMaker } from '../store/body/body.ts';
import { validatedEvent } from '../store/event.ts';
import type { TermHasher } from '../store/index/terms.ts';

/**
 * Writes an event that no ingester has sent (one of the relay itself, from quarantine, or of
 * another process) as if one had.
 */
export function writeInternalEvent(
  to: RecordWriter,
  json: string,
  hasher: TermHasher,
  bodies: BodyMaker,
): void {
  const event = JSON.parse(json) as NostrEvent;
  const canonical = Buffer.from(canonicalJson(event));
  const validated = validatedEvent(event, canonical, hasher.ofEvent(event));
  writeCheckedEvent(to, 0, validated, bodies.make(canonical));
}

/** Returns such an event as a batch of its own. */
export function internalEventBatch(
  json: string,
  hasher: TermHasher,
  bodies: BodyMaker,
): RecordReader {
  const records = new RecordWriter();
  writeInternalEvent(records, json, hasher, bodies);
  return new RecordReader(records.take());
}
