// Work of the commands that exchange events with other relays until they are interrupted.

import type { Config } from '../config/options.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { formatBytes, formatCount } from '../lib/format.ts';
import { sayOnStandardError } from '../log/standard-error.ts';
import type { Peer, PeerOptions } from '../peers/peer.ts';
import type { TransferTally } from '../peers/tally.ts';
import { storageFailure } from './failure.ts';
import { interruptible } from './interrupt.ts';
import { peerFailure } from './peer-flags.ts';

/** Interval of the lines with the counts of each peer. */
const REPORT_MILLISECONDS = 60_000;

/**
 * Exchanges events with peers until Ctrl-C or SIGTERM, and returns the exit status. What happens is
 * written to standard error, a line at a time.
 *
 * @param peersOf returns the peers; the signal is aborted at the end.
 */
export function runPeers(
  config: Config,
  peersOf: (signal: AbortSignal) => Promise<readonly PeerOptions[]>,
): Promise<number> {
  return interruptible(async (signal) => {
    const options = await peersOf(signal);
    const [{ Peer }, { PeerCursors }, { withLocalRelay }, { openLocalEvents }] = await Promise.all([
      import('../peers/peer.ts'),
      import('../peers/cursors.ts'),
      import('./local-relay.ts'),
      import('../peers/local-set.ts'),
    ]);
    try {
      await withLocalRelay(config, async (relay) => {
        const events = openLocalEvents(config);
        const cursors = new PeerCursors(config.storage.directory);
        const peers = options.map((one) => new Peer(one, { relay, events, cursors }, LINES));
        const timer = setInterval(() => report(peers), REPORT_MILLISECONDS);
        try {
          await Promise.all(peers.map((peer) => peer.run(signal)));
        } finally {
          clearInterval(timer);
          report(peers);
          events.db.close();
        }
      });
    } catch (error) {
      return storageFailure(peerFailure(error), config.storage);
    }
    return exitCodes.ok;
  });
}

/** Log on standard error, one line each. */
const LINES = { info: line, warn: line };

function line(text: string, facts?: Readonly<Record<string, unknown>>): void {
  sayOnStandardError(`${new Date().toISOString()} ${text}`, facts);
}

function report(peers: readonly Peer[]): void {
  for (const { status, down, up } of peers)
    line(`peer ${status.name}: ${status.state}; down ${counts(down)}; up ${counts(up)}`);
}

function counts({ stored, known, refused, bytes }: TransferTally): string {
  return `${formatCount(stored)} stored, ${formatCount(known)} known, ${formatCount(refused)} refused, ${formatBytes(bytes)}`;
}
