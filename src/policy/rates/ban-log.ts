// Log lines for addresses that were banned by rate limits.

import type { Config } from '../../config/options.ts';
import { ipFacts } from '../../log/client-ip.ts';
import type { Log } from '../../log/log.ts';

/** Returns a callback that logs bans of a thread's `Rates`, the address as `log.ip` allows. */
export function logBans(log: Log, config: Config): (address: string, seconds: number) => void {
  return (address, seconds) =>
    log.warn('an address was banned temporarily', { seconds, ...ipFacts(config.log, address) });
}
