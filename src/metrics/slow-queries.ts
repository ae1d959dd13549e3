// Rings of slow queries in shared memory: each query worker writes its own, any thread reads.

import type { Filter } from '../protocol/filter.ts';
import type { MetricsMemory } from './memory.ts';
import type { SlowQuery } from './ring-rows.ts';
import { RING_TEXT_BYTES_MAX, SLOW_QUERIES, TextRing } from './text-ring.ts';

/** Maximum size of the shapes; the rest of a slot is for the other fields. */
const SHAPES_BYTES_MAX = RING_TEXT_BYTES_MAX - 300;

/** Returns the ring of one query worker, to be written by that worker. */
export function slowQueryRing({ slow }: MetricsMemory, worker: number): TextRing {
  return new TextRing(slow, worker, SLOW_QUERIES);
}

/** Returns the slow queries of all workers, the newest first. */
export function slowQueries(memory: MetricsMemory): SlowQuery[] {
  const workers = memory.workers.filter(({ station }) => station === 'query');
  return workers
    .flatMap(({ worker }) => slowQueryRing(memory, worker).read())
    .map((text) => JSON.parse(text) as SlowQuery)
    .sort((a, b) => b.at - a.at);
}

/**
 * Returns the shapes of several filters (`filterShape`), truncated to fit into a slot of the ring.
 */
export function filterShapes(filters: readonly Filter[]): string {
  const text = filters.map(filterShape).join(' | ');
  if (Buffer.byteLength(text) <= SHAPES_BYTES_MAX) return text;
  // No character of the shapes takes more than two bytes (×).
  return `${text.slice(0, SHAPES_BYTES_MAX / 2)}…`;
}

/**
 * Returns the shape of a filter, which identifies no client or author: the number of ids, authors
 * and tag values, not the values. `authors×300 kinds 1,6 since 2026-11-20T10:00:00Z limit 100`.
 */
function filterShape({ ids, authors, kinds, tags, since, until, limit }: Filter): string {
  const parts: string[] = [];
  if (ids) parts.push(`ids×${ids.length}`);
  if (authors) parts.push(`authors×${authors.length}`);
  if (kinds) parts.push(kinds.length > 12 ? `kinds×${kinds.length}` : `kinds ${kinds.join()}`);
  for (const { letter, values } of tags) parts.push(`#${letter}×${values.length}`);
  if (since !== null) parts.push(`since ${time(since)}`);
  if (until !== null) parts.push(`until ${time(until)}`);
  if (limit !== null) parts.push(`limit ${limit}`);
  return parts.join(' ') || 'everything';
}

function time(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000', '');
}
