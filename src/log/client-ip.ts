// Addresses in log lines, in the form that `log.ip` allows.

import { createHmac, randomBytes } from 'node:crypto';
import type { Config } from '../config/options.ts';

/** HMAC key, new with every start, so that hashes cannot be traced back to addresses later. */
const KEY = randomBytes(16);
const HASH_LENGTH = 12;

/**
 * Returns the log field for an address (`log.ip`): none, a hash that stays the same for an address
 * as long as the relay runs, or the address itself. To be spread into the fields of a line.
 */
export function ipFacts({ ip: mode }: Config['log'], ip: string): { ip?: string } {
  if (mode === 'off') return {};
  if (mode === 'on') return { ip };
  return { ip: createHmac('sha256', KEY).update(ip).digest('hex').slice(0, HASH_LENGTH) };
}
