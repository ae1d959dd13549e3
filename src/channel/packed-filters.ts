// Binary encoding of filters for the way from ingester over query to monitor, and two readers of
// it: `UnpackedFilter` (values) and `PackedLayout` (offsets only).

import { assert } from '../lib/assert.ts';
import type { Filter, TagCondition } from '../protocol/filter.ts';
import { RecordReader, RecordWriter } from './records.ts';

/** Characters of an id or a pubkey in hex. */
const HEX_LENGTH = 64;
/** Bytes of an id or a pubkey. */
export const KEY_BYTES = 32;

const IDS = 1;
const AUTHORS = 2;
const KINDS = 4;
const SINCE = 8;
const UNTIL = 16;
const LIMIT = 32;
const NOTHING = 64;

const scratch = new RecordWriter();

/**
 * Encodes filters once for ingester, query and monitor; they are passed on as they are and read
 * where they are needed. Ids and pubkeys are 32 bytes each, half of their hex, and lookups in the
 * recent columns need no strings: with 300 authors, a pack is read in 1 µs, with their strings in
 * 12, and written in 7 to 20.
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

/** Filter read from a pack; author strings are made on first use. */
export class UnpackedFilter implements Filter {
  readonly ids: readonly string[] | null;
  /** Pubkeys of the authors, 32 bytes each, as a view into the pack. */
  readonly authorBytes: Buffer | null;
  readonly kinds: readonly number[] | null;
  readonly tags: readonly TagCondition[];
  readonly since: number | null;
  readonly until: number | null;
  readonly limit: number | null;
  readonly matchesNothing: boolean;
  #authors: readonly string[] | null = null;

  /** Reads the next filter of a pack. */
  constructor(from: RecordReader) {
    const has = from.u8();
    this.ids = has & IDS ? hexList(from.blob()) : null;
    this.authorBytes = has & AUTHORS ? from.blob() : null;
    assertKeys(this.authorBytes?.length ?? 0);
    this.kinds = has & KINDS ? Array.from({ length: from.u32() }, () => from.u16()) : null;
    this.since = has & SINCE ? from.f64() : null;
    this.until = has & UNTIL ? from.f64() : null;
    this.limit = has & LIMIT ? from.f64() : null;
    const tags: TagCondition[] = [];
    for (let left = from.u32(); left > 0; left--) {
      const letter = from.text();
      tags.push({ letter, values: Array.from({ length: from.u32() }, () => from.text()) });
    }
    this.tags = tags;
    this.matchesNothing = (has & NOTHING) !== 0;
  }

  get authors(): readonly string[] | null {
    if (this.authorBytes !== null) this.#authors ??= hexList(this.authorBytes);
    return this.#authors;
  }

  /** Number of authors; 0 also if the filter has no such condition. */
  get authorCount(): number {
    return this.authorBytes === null ? 0 : this.authorBytes.length / KEY_BYTES;
  }
}

/** Offset of the values of a condition in a pack, and their number. */
export interface PackedList {
  readonly at: number;
  readonly count: number;
}

/** Offsets of a filter's conditions in its pack, to match it without unpacking it. */
export class PackedLayout {
  /** 32 bytes each; null: no such condition. */
  readonly ids: PackedList | null;
  readonly authors: PackedList | null;
  /** Two bytes each, little-endian. */
  readonly kinds: PackedList | null;
  /** Texts, each after its length in four bytes. */
  readonly tags: readonly (PackedList & { readonly letter: string })[];
  /** Seconds since 1970, inclusive. */
  readonly since: number;
  readonly until: number;
  readonly matchesNothing: boolean;

  /** Reads the next filter of a pack. */
  constructor(from: RecordReader) {
    const has = from.u8();
    this.ids = has & IDS ? keyList(from) : null;
    this.authors = has & AUTHORS ? keyList(from) : null;
    this.kinds = has & KINDS ? listOf(from, (count) => from.skip(count * 2)) : null;
    this.since = has & SINCE ? from.f64() : 0;
    this.until = has & UNTIL ? from.f64() : Number.MAX_SAFE_INTEGER;
    if (has & LIMIT) from.skip(8);
    let tags: (PackedList & { letter: string })[] | null = null;
    for (let left = from.u32(); left > 0; left--) {
      const letter = from.text();
      const list = listOf(from, (count) => {
        for (let i = 0; i < count; i++) from.skipBlob();
      });
      tags ??= [];
      tags.push({ letter, ...list });
    }
    this.tags = tags ?? NO_TAGS;
    this.matchesNothing = (has & NOTHING) !== 0;
  }
}

const NO_TAGS: PackedLayout['tags'] = [];

function keyList(from: RecordReader): PackedList {
  const at = from.skipBlob() + 4;
  const bytes = from.offset - at;
  assertKeys(bytes);
  return { at, count: bytes / KEY_BYTES };
}

function assertKeys(bytes: number): void {
  assert(bytes % KEY_BYTES === 0, 'a list of keys in a packed filter is cut off');
}

function listOf(from: RecordReader, skip: (count: number) => void): PackedList {
  const count = from.u32();
  const at = from.offset;
  skip(count);
  return { at, count };
}

/** Returns the filters that `packFilters` wrote; they keep a reference to the pack. */
export function unpackFilters(packed: Uint8Array): UnpackedFilter[] {
  const from = new RecordReader(packed);
  return Array.from({ length: from.u32() }, () => new UnpackedFilter(from));
}

function writeHexList(to: RecordWriter, values: readonly string[]): void {
  const [first = ''] = values;
  to.hex(values.length === 1 ? first : values.join(''));
}

function hexList(bytes: Buffer): string[] {
  assertKeys(bytes.length);
  const text = bytes.toString('hex');
  const values = new Array<string>(bytes.length / KEY_BYTES);
  for (let i = 0; i < values.length; i++) {
    values[i] = text.slice(i * HEX_LENGTH, (i + 1) * HEX_LENGTH);
  }
  return values;
}
