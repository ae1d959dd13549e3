import type { MetricsMemory } from './meter.ts';
import { REFUSED_READS, TextRing } from './text-ring.ts';

/** What a lane remembers of each outcome a second; a flood costs an addition each. */
const NOTES_A_SECOND = 10;
const TEXT_LENGTH_MAX = 300;

/**
 * A REQ or COUNT that was refused, or whose stored events were cut short because its budget was used up. It
 * says nothing of who asked beside the number of the connection, and nothing of the values asked for.
 */
export interface RefusedRead {
  /** Seconds since 1970. */
  at: number;
  verb: 'REQ' | 'COUNT';
  connection: number;
  outcome: 'refused' | 'short';
  /** What the client was told; '' for what was cut short. */
  text: string;
  /** The shape of its filters (`filterShapes`); '' where they were not understood. */
  filters: string;
}

/** The stations whose lanes refuse reads, in the order of their rings. */
const STATIONS = ['ingester', 'query'] as const;

/** How many lanes there are that need a ring. */
export function readRings(counts: Readonly<Partial<Record<string, number>>>): number {
  return STATIONS.reduce((sum, station) => sum + (counts[station] ?? 0), 0);
}

/** What one lane remembers of the reads that it did not answer, or not in full. */
export class ReadNotes {
  readonly #ring: TextRing;
  #second = 0;
  readonly #noted = { refused: 0, short: 0 };

  constructor(memory: MetricsMemory, station: (typeof STATIONS)[number], lane: number) {
    this.#ring = ringOf(memory, station, lane);
  }

  /** `filters` is only asked where it is remembered. */
  note(
    verb: RefusedRead['verb'],
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
    const noted = { at, verb, connection, outcome, text: cut, filters: filters() };
    this.#ring.push(JSON.stringify(noted satisfies RefusedRead));
  }
}

/** Those of all lanes, the newest first. */
export function refusedReads(memory: MetricsMemory): RefusedRead[] {
  return STATIONS.flatMap((station) =>
    memory.lanes
      .filter((one) => one.station === station)
      .flatMap(({ lane }) => ringOf(memory, station, lane).read()),
  )
    .map((text) => JSON.parse(text) as RefusedRead)
    .sort((a, b) => b.at - a.at);
}

function ringOf(
  { lanes, reads }: MetricsMemory,
  station: (typeof STATIONS)[number],
  lane: number,
): TextRing {
  const before = station === 'query' ? lanes.filter((one) => one.station === 'ingester').length : 0;
  return new TextRing(reads, before + lane, REFUSED_READS);
}
