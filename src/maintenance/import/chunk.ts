// Checks of an import that run in the threads of the piscina pool, one chunk of lines at a time.
// Each thread owns its ChunkChecker.

import { type Rejection, refuse } from '../../access/rejection.ts';
import { RecordWriter } from '../../channel/records.ts';
import type { Config } from '../../config/options.ts';
import { systemClock } from '../../lib/clock.ts';
import { writeCheckedEvent } from '../../messages/ingester-writer.ts';
import type { Refusal } from '../../protocol/refusal.ts';
import type { SignatureBackend } from '../../protocol/signature/backend.ts';
import { BodyMaker } from '../../store/body/body.ts';
import { openReader, termKey } from '../../store/database/open.ts';
import type { ValidatedEvent } from '../../store/event.ts';
import { IdFilter } from '../../store/index/id-filter.ts';
import { StoredIds } from '../../store/index/stored-ids.ts';
import { TermHasher } from '../../store/index/terms.ts';
import { EventValidator } from '../../validation/event-validator.ts';
import { ImportProfile } from '../../validation/import-profile.ts';
import { KindLimits } from '../../validation/kind-limits.ts';
import { LineMessage } from './line-message.ts';

const NEWLINE = 0x0a;

/** Worker data of every checking thread. */
export interface CheckSetup {
  config: Config;
  /** Shared memory of the writer's filter of stored ids. */
  idFilter: SharedArrayBuffer;
  /** True to check signatures. */
  verify: boolean;
  /** True to apply the configured limits for the size of events. */
  limits: boolean;
}

/** Rejected line. */
export interface RefusedLine {
  /**
   * Line number from 1: within the chunk, or within the file once the import has added the lines
   * before.
   */
  line: number;
  /** Event id as written in the line, '' if it has none. */
  id: string;
  why: Refusal;
}

/** Result of checking one chunk. */
export interface CheckedChunk {
  /**
   * Records of checked events (`writeCheckedEvent`), with the line number in the place of the
   * connection id.
   */
  records: ArrayBuffer;
  /** Number of lines that are not blank. */
  lines: number;
  newlines: number;
  duplicates: number;
  refused: RefusedLine[];
}

/** Checker of chunks, which are whole lines of a file, one after the other. */
export class ChunkChecker {
  readonly #line: LineMessage;
  readonly #validator: EventValidator;
  readonly #records = new RecordWriter();
  readonly #bodies: BodyMaker;

  constructor({ config, idFilter, limits }: CheckSetup, signature: SignatureBackend | null) {
    const db = openReader(config.storage);
    this.#bodies = new BodyMaker(config.storage.pack_bodies);
    this.#line = new LineMessage(config.limits.json_depth_max);
    const profile = new ImportProfile(
      limits ? new KindLimits(config) : null,
      new StoredIds(db, new IdFilter(idFilter)),
      systemClock,
    );
    this.#validator = new EventValidator(new TermHasher(termKey(db)), profile, signature);
  }

  check(bytes: ArrayBuffer): CheckedChunk {
    const buffer = Buffer.from(bytes);
    const refused: RefusedLine[] = [];
    let lines = 0;
    let duplicates = 0;
    let line = 1;
    for (let start = 0; start < buffer.length; line++) {
      const newline = buffer.indexOf(NEWLINE, start);
      const end = newline < 0 ? buffer.length : newline;
      const text = buffer.subarray(start, end);
      start = end + 1;
      if (isBlank(text)) continue;
      lines++;
      const found = this.#validate(text);
      if (!('refusal' in found)) {
        writeCheckedEvent(this.#records, line, found, this.#bodies.make(found.json));
      } else if (found.rule === 'duplicate') duplicates++;
      else refused.push({ line, id: idIn(text), why: found.refusal });
    }
    return { records: this.#records.take().buffer, lines, newlines: line - 1, duplicates, refused };
  }

  #validate(line: Buffer): ValidatedEvent | Rejection {
    const parsed = this.#line.parse(line);
    if (typeof parsed === 'string') return refuse('shape', parsed);
    return this.#validator.check(parsed.value, this.#line.message, this.#line.scan);
  }
}

function isBlank(line: Buffer): boolean {
  for (let i = 0; i < line.length; i++) if (line[i]! > 0x20) return false;
  return true;
}

function idIn(line: Buffer): string {
  return /"id"\s*:\s*"([0-9a-f]{64})"/.exec(line.toString('latin1'))?.[1] ?? '';
}
