import { createHmac, randomBytes } from 'node:crypto';
import type { Config } from '../config/options.ts';

/** New with every start, so that nobody can tell later whose address it was. */
const KEY = randomBytes(16);
const HASH_LENGTH = 12;

/**
 * An address as the log may have it (`log.ip`): nothing, a hash that is the same for an address as long
 * as the relay runs, or the address itself. To be spread into the facts of a line.
 */
export function ipFacts({ ip: mode }: Config['log'], ip: string): { ip?: string } {
  if (mode === 'off') return {};
  if (mode === 'on') return { ip };
  return { ip: createHmac('sha256', KEY).update(ip).digest('hex').slice(0, HASH_LENGTH) };
}
