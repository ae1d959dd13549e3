// The own relay as commands use it: the running one, or one that is started for them.

import type { Config } from '../config/options.ts';
import { ERRORS_ON_STANDARD_ERROR } from '../log/standard-error.ts';
import { type LocalRelay, relayOn, runningRelay } from '../peers/local-relay.ts';

/**
 * Runs work with the own relay. If none runs on the data directory, one is started that serves no
 * network: events then go through the same checks, rules and plugins.
 *
 * @throws StorageError when the database cannot be used, PeerError, and what `work` throws.
 */
export async function withLocalRelay<Result>(
  config: Config,
  work: (relay: LocalRelay) => Promise<Result>,
): Promise<Result> {
  const running = await runningRelay(config);
  if (running !== null) return work(running);
  const { Relay } = await import('../relay.ts');
  const relay = await Relay.startLocally(quiet(config), ERRORS_ON_STANDARD_ERROR);
  try {
    return await work(relayOn(config.storage.directory));
  } finally {
    await relay.stop();
  }
}

/** Returns the configuration of a relay that serves no network. */
function quiet(config: Config): Config {
  return { ...config, metrics: { ...config.metrics, enabled: false } };
}
