// The own relay as programs reach it, by its local socket.

import { connect } from 'node:net';
import type { Config } from '../config/options.ts';
import type { ConnectionSource } from '../messages/io-ingester.ts';
import { localSocketFile } from '../paths.ts';
import { RelayConnection } from './relay-connection.ts';

/** Time in which the own relay has to answer; a plugin may take its time. */
const TIMEOUT_MILLISECONDS = 120_000;

/** The own relay. */
export interface LocalRelay {
  /** True if it serves clients; false if it was started for the command. */
  readonly isRunning: boolean;
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
  const isRunning = await listens(localSocketFile(storage.directory));
  return isRunning ? relayOn(storage.directory, true) : null;
}

/** Returns the relay of a directory. */
export function relayOn(directory: string, isRunning: boolean): LocalRelay {
  return {
    isRunning,
    connect: (source, origin) => {
      const query = origin === '' ? '' : `?origin=${encodeURIComponent(origin)}`;
      const url = `ws+unix:${localSocketFile(directory)}:/${source}${query}`;
      return RelayConnection.open(url, { timeoutMilliseconds: TIMEOUT_MILLISECONDS });
    },
  };
}

/** Returns true if a process listens on a Unix socket. */
function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    // A user who may not open the socket may not open the database either, which is then named.
    socket.on('error', () => resolve(false));
  });
}
