// The own relay as programs reach it, by its local socket.

import type { Config } from '../config/options.ts';
import { listenerOf } from '../lib/unix-socket.ts';
import type { ConnectionSource } from '../messages/io-ingester.ts';
import { localSocketFile } from '../paths.ts';
import type { RelayConnection } from './relay-connection.ts';

/** Time in which the own relay has to answer; a plugin may take its time. */
const TIMEOUT_MILLISECONDS = 120_000;

/** The own relay. */
export interface LocalRelay {
  /**
   * Opens a connection that is exempt from rates and authentication.
   *
   * @param origin URL of the relay that its events come from, for plugins; '' if there is none.
   * @throws PeerError
   */
  connect(source: Exclude<ConnectionSource, 'client'>, origin: string): Promise<RelayConnection>;
}

/** Returns the relay that runs on the data directory, or null. */
export async function runningRelay({ storage }: Config): Promise<LocalRelay | null> {
  // A user who may not open the socket may not open the database either, which is then named.
  const listener = await listenerOf(localSocketFile(storage.directory));
  return listener === 'there' ? relayOn(storage.directory) : null;
}

/** Returns the relay of a directory. */
export function relayOn(directory: string): LocalRelay {
  return {
    connect: async (source, origin) => {
      // Loaded here: without a running relay `wok import` needs no WebSocket client.
      const { RelayConnection } = await import('./relay-connection.ts');
      const query = origin === '' ? '' : `?origin=${encodeURIComponent(origin)}`;
      const url = `ws+unix:${localSocketFile(directory)}:/${source}${query}`;
      return RelayConnection.open(url, { timeoutMilliseconds: TIMEOUT_MILLISECONDS });
    },
  };
}
