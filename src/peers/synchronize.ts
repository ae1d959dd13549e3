// Synchronization of the own relay with another one: a comparison, then the transfer of the
// differences.

import type { RecentIds } from '../lib/recent-ids.ts';
import { type Filter, filterJson } from '../protocol/filter.ts';
import { IdList } from './id-list.ts';
import type { Gates } from './live-link.ts';
import { type LocalEvents, readSet } from './local-set.ts';
import { reconcile } from './reconcile.ts';
import type { RelayConnection } from './relay-connection.ts';
import { TransferTally } from './tally.ts';
import type { Throttle } from './throttle.ts';
import { download, upload } from './transfer.ts';

/** Direction in which events go: `down` is from the other relay to the own one. */
export type SyncDirection = 'both' | 'down' | 'up' | 'none';

/** Relays that are synchronized. */
export interface SyncSides {
  /** Connection to the own relay. */
  readonly local: RelayConnection;
  readonly remote: RelayConnection;
  /** Stored events of the own relay. */
  readonly events: LocalEvents;
  readonly filter: Filter;
}

/** Options of a synchronization. */
export interface SyncOptions {
  readonly direction: SyncDirection;
  /** Bytes of a negentropy message at most; 0: no bound. */
  readonly frameBytes: number;
  readonly signal: AbortSignal;
  /** Called with what is being done, how much of it is done, and the whole (0: unknown). */
  readonly progress: (label: string, done: number, total: number) => void;
  /** Events that the own relay, and the other one, have refused before; they are left out. */
  readonly refused?: { readonly here: RecentIds; readonly there: RecentIds };
  /** Plugins that decide which events go. */
  readonly gates?: Gates | undefined;
  readonly throttles?: Throttles | undefined;
  /** Tallies that the transferred events are counted in; without them new ones. */
  readonly tallies?: { readonly down: TransferTally; readonly up: TransferTally } | undefined;
  /** Called once with the numbers of events that are missing here, and there. */
  readonly compared?: (missingHere: number, missingThere: number) => void;
}

/** Rates by direction. */
export interface Throttles {
  readonly down: Throttle;
  readonly up: Throttle;
}

/** Result of a synchronization. */
export interface SyncReport {
  /** Number of own events that match. */
  readonly own: number;
  /** Own events that the other relay lacked, and the reverse. */
  readonly have: IdList;
  readonly need: IdList;
  /** Bytes of negentropy messages, both ways. */
  readonly negentropyBytes: number;
  /** null: nothing was to go this way. */
  readonly down: TransferTally | null;
  readonly up: TransferTally | null;
}

/**
 * Compares the own events with those of another relay and transfers the differences. Both ways run
 * at the same time.
 *
 * @throws PeerError, and what `signal` throws.
 */
export async function synchronize(sides: SyncSides, options: SyncOptions): Promise<SyncReport> {
  const { local, remote, events, filter } = sides;
  const { direction, frameBytes, signal, progress, refused, gates, throttles, tallies } = options;
  const own = await readSet(events, filter, signal, (read) => progress('reading', read, 0));
  const have = new IdList();
  const need = new IdList();
  const before = remote.negentropyBytes;
  await reconcile(
    remote,
    filterJson(filter),
    own,
    { have, need },
    {
      frameBytes,
      progress: () => progress('comparing', have.size + need.size, 0),
    },
  );
  options.compared?.(need.size, have.size);
  const goesDown = direction === 'both' || direction === 'down';
  const goesUp = direction === 'both' || direction === 'up';
  const down = goesDown ? (tallies?.down ?? new TransferTally()) : null;
  const up = goesUp ? (tallies?.up ?? new TransferTally()) : null;
  const total = (down === null ? 0 : need.size) + (up === null ? 0 : have.size);
  const done = () => (down?.answered ?? 0) + (up?.answered ?? 0);
  const transfer = { signal, progress: () => progress('transferring', done(), total) };
  const ways: Promise<void>[] = [];
  if (down !== null)
    ways.push(
      download(need, remote, local, down, {
        ...transfer,
        refused: refused?.here,
        gate: gates?.down,
        throttle: throttles?.down,
      }),
    );
  if (up !== null)
    ways.push(
      upload(have, events, remote, up, {
        ...transfer,
        refused: refused?.there,
        gate: gates?.up,
        throttle: throttles?.up,
      }),
    );
  await Promise.all(ways);
  const negentropyBytes = remote.negentropyBytes - before;
  return { own: own.size, have, need, negentropyBytes, down, up };
}
