// Ring of recently refused or shortened reads in shared memory: each ingester and query worker
// writes its own, any thread reads.

import type { MetricsMemory } from './memory.ts';
import { REFUSED_READS, TextRing } from './text-ring.ts';

/**
 * Maximum records a second for each outcome in a worker; beyond it, a refusal costs one addition.
 */
const NOTES_A_SECOND = 10;
const TEXT_LENGTH_MAX = 300;

/**
 * Record of a REQ or COUNT that was refused, or returned fewer stored events because its budget was
 * used up. It identifies the client only by the number of the connection, and holds none of the
 * values asked for.
 */
export interface RefusedRead {
  /** Seconds since 1970. */
  at: number;
  type: 'REQ' | 'COUNT';
  connection: number;
  outcome: 'refused' | 'short';
  /** Text for the client; '' for a read that was cut short. */
  text: string;
  /** Shape of its filters (`filterShapes`); '' where they could not be parsed. */
  filters: string;
}

/** Stations with workers that refuse reads, in the order of their rings. */
const STATIONS = ['ingester', 'query'] as const;

/** Returns the number of workers that need a ring. */
export function readRings(counts: Readonly<Partial<Record<string, number>>>): number {
  return STATIONS.reduce((sum, station) => sum + (counts[station] ?? 0), 0);
}

/** Writer of the refused and shortened reads of one worker thread. */
export class RefusedReadRing {
  readonly #ring: TextRing;
  #second = 0;
  readonly #noted = { refused: 0, short: 0 };

  constructor(memory: MetricsMemory, station: (typeof STATIONS)[number], worker: number) {
    this.#ring = ringOf(memory, station, worker);
  }

  /** Records a read, within the rate. `filters` is only called for a read that is recorded. */
  note(
    type: RefusedRead['type'],
    connection: number,
    outcome: RefusedRead['outcome'],
    text: string,
    filters: () => string,
  ): void {
    const at = Math.floor(Date.now() / 1000);
    if (at !== this.#second) {
      this.#second = at;
      Object.assign(this.#noted, { refused: 0, short: 0 });
    }
    if (++this.#noted[outcome] > NOTES_A_SECOND) return;
    const cut = text.slice(0, TEXT_LENGTH_MAX).toWellFormed();
    const noted = { at, type, connection, outcome, text: cut, filters: filters() };
    this.#ring.push(JSON.stringify(noted satisfies RefusedRead));
  }
}

/** Returns the records of all workers, the newest first. */
export function refusedReads(memory: MetricsMemory): RefusedRead[] {
  return STATIONS.flatMap((station) =>
    memory.workers
      .filter((one) => one.station === station)
      .flatMap(({ worker }) => ringOf(memory, station, worker).read()),
  )
    .map((text) => JSON.parse(text) as RefusedRead)
    .sort((a, b) => b.at - a.at);
}

function ringOf(
  { workers, reads }: MetricsMemory,
  station: (typeof STATIONS)[number],
  worker: number,
): TextRing {
  const before =
    station === 'query' ? workers.filter((one) => one.station === 'ingester').length : 0;
  return new TextRing(reads, before + worker, REFUSED_READS);
}
