import type { Filter, TagCondition } from '../protocol/filter.ts';
import { RecordReader, RecordWriter } from './records.ts';

/** Characters of an id or a pubkey. */
const HEX_LENGTH = 64;

const IDS = 1;
const AUTHORS = 2;
const KINDS = 4;
const SINCE = 8;
const UNTIL = 16;
const LIMIT = 32;
const NOTHING = 64;

const scratch = new RecordWriter();

/**
 * Filters as bytes, for the way from ingester over query to monitor: written once, handed on as they
 * are, read by whoever has to look into them. 300 authors take 5 µs to write and 12 to read, a fifth of
 * what a general codec needs.
 */
export function packFilters(filters: readonly Filter[]): Uint8Array {
  scratch.u32(filters.length);
  for (const { ids, authors, kinds, tags, since, until, limit, matchesNothing } of filters) {
    scratch.u8(
      (ids === null ? 0 : IDS) |
        (authors === null ? 0 : AUTHORS) |
        (kinds === null ? 0 : KINDS) |
        (since === null ? 0 : SINCE) |
        (until === null ? 0 : UNTIL) |
        (limit === null ? 0 : LIMIT) |
        (matchesNothing ? NOTHING : 0),
    );
    if (ids !== null) writeHexList(scratch, ids);
    if (authors !== null) writeHexList(scratch, authors);
    if (kinds !== null) {
      scratch.u32(kinds.length);
      for (const kind of kinds) scratch.u16(kind);
    }
    if (since !== null) scratch.f64(since);
    if (until !== null) scratch.f64(until);
    if (limit !== null) scratch.f64(limit);
    scratch.u32(tags.length);
    for (const { letter, values } of tags) {
      scratch.text(letter);
      scratch.u32(values.length);
      for (const value of values) scratch.text(value);
    }
  }
  return scratch.take();
}

/** A filter as it came out of a pack. */
export interface UnpackedFilter extends Filter {
  /** The authors' pubkeys in hex, one behind the other, where they stand in the pack. */
  readonly authorHex: Uint8Array | null;
}

/** The filters that `packFilters` wrote; they hold on to the pack. */
export function unpackFilters(packed: Uint8Array): UnpackedFilter[] {
  const from = new RecordReader(packed);
  return Array.from({ length: from.u32() }, () => readFilter(from));
}

function readFilter(from: RecordReader): UnpackedFilter {
  const has = from.u8();
  const ids = has & IDS ? readHexList(from.blob()) : null;
  const authorHex = has & AUTHORS ? from.blob() : null;
  const authors = authorHex === null ? null : readHexList(authorHex);
  const kinds = has & KINDS ? Array.from({ length: from.u32() }, () => from.u16()) : null;
  const since = has & SINCE ? from.f64() : null;
  const until = has & UNTIL ? from.f64() : null;
  const limit = has & LIMIT ? from.f64() : null;
  const tags: TagCondition[] = [];
  for (let left = from.u32(); left > 0; left--) {
    const letter = from.text();
    tags.push({ letter, values: Array.from({ length: from.u32() }, () => from.text()) });
  }
  const matchesNothing = (has & NOTHING) !== 0;
  return { ids, authors, authorHex, kinds, tags, since, until, limit, matchesNothing };
}

function writeHexList(to: RecordWriter, values: readonly string[]): void {
  to.ascii(values.length === 1 ? values[0]! : values.join(''));
}

function readHexList(hex: Buffer): string[] {
  const text = hex.toString('latin1');
  const values = new Array<string>(text.length / HEX_LENGTH);
  for (let i = 0; i < values.length; i++) {
    values[i] = text.slice(i * HEX_LENGTH, (i + 1) * HEX_LENGTH);
  }
  return values;
}
