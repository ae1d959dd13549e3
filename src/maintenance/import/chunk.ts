// Checks of an import that run in the threads of the piscina pool, one chunk of lines at a time.
// Each thread owns its ChunkChecker.

import { RecordWriter } from '../../channel/records.ts';
import type { Config } from '../../config/options.ts';
import { systemClock } from '../../lib/clock.ts';
import { writeCheckedEvent } from '../../messages/ingester-writer.ts';
import type { Refusal } from '../../protocol/refusal.ts';
import type { SignatureBackend } from '../../protocol/signature/backend.ts';
import { BodyMaker } from '../../store/body/body.ts';
import { openReader, termKey } from '../../store/database/open.ts';
import { IdFilter } from '../../store/index/id-filter.ts';
import { StoredIds } from '../../store/index/stored-ids.ts';
import { TermHasher } from '../../store/index/terms.ts';
import { DUPLICATE, ImportValidator } from '../../validation/import-validator.ts';
import { KindLimits } from '../../validation/kind-limits.ts';

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
  readonly #gate: ImportValidator;
  readonly #records = new RecordWriter();
  readonly #bodies: BodyMaker;

  constructor({ config, idFilter, limits }: CheckSetup, signature: SignatureBackend | null) {
    const db = openReader(config.storage);
    this.#bodies = new BodyMaker(config.storage.pack_bodies);
    this.#gate = new ImportValidator({
      limits: limits ? new KindLimits(config) : null,
      depthMax: config.limits.json_depth_max,
      hasher: new TermHasher(termKey(db)),
      signature,
      stored: new StoredIds(db, new IdFilter(idFilter)),
      nowSeconds: systemClock.seconds(),
    });
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
      const found = this.#gate.check(text);
      if (typeof found === 'string') {
        if (found === DUPLICATE) duplicates++;
        else refused.push({ line, id: idIn(text), why: found });
        continue;
      }
      writeCheckedEvent(this.#records, line, found, this.#bodies.make(found.json));
    }
    return { records: this.#records.take().buffer, lines, newlines: line - 1, duplicates, refused };
  }
}

function isBlank(line: Buffer): boolean {
  for (let i = 0; i < line.length; i++) if (line[i]! > 0x20) return false;
  return true;
}

function idIn(line: Buffer): string {
  return /"id"\s*:\s*"([0-9a-f]{64})"/.exec(line.toString('latin1'))?.[1] ?? '';
}
