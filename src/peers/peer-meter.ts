// Metrics of the peers worker.

import { PEER_DIRECTIONS, PEER_RESULTS, PEER_SLOTS } from '../metrics/label-values.ts';
import { byLabel, cellOf } from '../metrics/layout.ts';
import type { MetricsMemory } from '../metrics/memory.ts';
import type { Meter } from '../metrics/meter.ts';
import { SlotNames } from '../metrics/slot-names.ts';
import type { Peer } from './peer.ts';

/** Cells of one peer. */
type Cells = ReturnType<typeof cellsOf>;

/** Gauges and counters of peers. */
export class PeerMeter {
  readonly #meter: Meter;
  readonly #names: SlotNames;
  readonly #cells = new Map<string, Cells>();
  /** Counts that are in the metrics already; a peer that begins anew counts from zero. */
  readonly #counted = new WeakMap<Peer, Map<number, number>>();

  constructor(meter: Meter, memory: MetricsMemory) {
    this.#meter = meter;
    this.#names = new SlotNames(memory.peers, PEER_SLOTS);
  }

  /** Takes the current states and counts. */
  take(peers: readonly Peer[]): void {
    for (const peer of peers) this.#take(peer);
  }

  #take(peer: Peer): void {
    const { name, state, lagSeconds, missingHere, missingThere } = peer.status;
    const slot = this.#names.placeOf(name);
    const cells = this.#cells.get(slot) ?? cellsOf(slot);
    this.#cells.set(slot, cells);
    this.#meter.set(cells.live, state === 'live' ? 1 : 0);
    this.#meter.set(cells.lag, lagSeconds);
    this.#meter.set(cells.missingHere, missingHere);
    this.#meter.set(cells.missingThere, missingThere);
    this.#count(peer, cells.failures, peer.failures);
    for (const direction of PEER_DIRECTIONS) {
      for (const result of PEER_RESULTS)
        this.#count(peer, cells.events[direction][result], peer[direction][result]);
      this.#count(peer, cells.bytes[direction], peer[direction].bytes);
    }
  }

  #count(peer: Peer, cell: number, value: number): void {
    const counted = this.#counted.get(peer) ?? new Map<number, number>();
    this.#counted.set(peer, counted);
    this.#meter.add(cell, value - (counted.get(cell) ?? 0));
    counted.set(cell, value);
  }
}

function cellsOf(peer: string) {
  return {
    live: cellOf('wok_peer_live', { peer }),
    lag: cellOf('wok_peer_lag_seconds', { peer }),
    missingHere: cellOf('wok_peer_missing_events', { peer, side: 'here' }),
    missingThere: cellOf('wok_peer_missing_events', { peer, side: 'there' }),
    failures: cellOf('wok_peer_failures_total', { peer }),
    events: byLabel(PEER_DIRECTIONS, (direction) =>
      byLabel(PEER_RESULTS, (result) =>
        cellOf('wok_peer_events_total', { peer, direction, result }),
      ),
    ),
    bytes: byLabel(PEER_DIRECTIONS, (direction) =>
      cellOf('wok_peer_bytes_total', { peer, direction }),
    ),
  };
}
