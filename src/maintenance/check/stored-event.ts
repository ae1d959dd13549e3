// Checks of one stored event against its row, its id, its signature and its postings.

import { hashesTo } from '../../protocol/canonical.ts';
import type { NostrEvent } from '../../protocol/event.ts';
import { checkEventShape } from '../../protocol/event-check.ts';
import { expirationOf } from '../../protocol/expiration.ts';
import type { SignatureBackend } from '../../protocol/signature/backend.ts';
import { idOf, jsonOf, pubkeyOf, type StoredBody } from '../../store/body/body.ts';
import type { Db } from '../../store/database/open.ts';
import * as sql from '../../store/database/sql.ts';
import { postingKind } from '../../store/index/posting-kind.ts';
import { TERM_ALL, type TermHasher } from '../../store/index/terms.ts';

/** Row of the log. */
export interface LogRow {
  seq: number;
  created_at: number;
  kind: number;
  expires_at: number | null;
  /** Body as stored in the column of this name. */
  json: StoredBody;
}

/** Returns the event of a row, or a description of what is wrong with its text. */
export function readStored(row: LogRow): NostrEvent | string {
  let json: string;
  try {
    json = jsonOf(row.json);
  } catch {
    return 'its packed text is damaged';
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return 'its text is not JSON';
  }
  const event = checkEventShape(value);
  if (typeof event === 'string') return `its text is not a valid event (${event})`;
  const { id, pubkey, created_at, kind } = event;
  if (idOf(json) !== id || pubkeyOf(json) !== pubkey) return 'its text is not canonical';
  if (created_at !== row.created_at || kind !== row.kind) return 'its columns differ from its text';
  if ((expirationOf(event) ?? null) !== row.expires_at) return 'its expiry differs from its text';
  if (!hashesTo(event)) return 'its id is not the SHA-256 of the event';
  return event;
}

/** Check that the index has all postings of an event, with a count of those it found. */
export class PostingCheck {
  readonly #hasher: TermHasher;
  readonly #posting;
  /** Number of postings that events should have and do have. */
  found = 0;

  constructor(db: Db, hasher: TermHasher) {
    this.#hasher = hasher;
    this.#posting = db.prepare(sql.SELECT_POSTING_KIND).pluck();
  }

  /** Returns the number of postings of an indexed event that are missing or have another kind. */
  missing(event: NostrEvent, { seq, kind, expires_at: expiresAt }: LogRow): number {
    const wanted = postingKind(kind, expiresAt ?? 0);
    let missing = 0;
    const terms = new Set([TERM_ALL, ...this.#hasher.ofEvent(event)]);
    for (const term of terms) {
      const kept = this.#posting.get(term, event.created_at, seq) as number | undefined;
      if (kept !== undefined) this.found++;
      if (kept !== wanted) missing++;
    }
    return missing;
  }
}

/** Returns true if the signature of a stored event is right. */
export function isSigned(event: NostrEvent, signature: SignatureBackend): boolean {
  const [sig, id, pubkey] = [event.sig, event.id, event.pubkey].map((hex) =>
    Buffer.from(hex, 'hex'),
  );
  return signature.verify(sig!, id!, pubkey!);
}
