// Check of `wok doctor` on the relay's own addresses (identity.urls).

import { identityAdvice, identityLine } from '../../config/identity-advice.ts';
import type { Config } from '../../config/options.ts';
import { formatCount } from '../../lib/format.ts';
import { type Finding, findings } from './finding.ts';

/**
 * Checks that the relay knows its own addresses; the advice names the lines that relay.conf lacks.
 *
 * @param reachedBy hosts by which clients reach the running relay and that it does not know to be
 * its own, the most frequent first.
 */
export function examineIdentity(
  config: Config,
  reachedBy: readonly { host: string; count: number }[],
): Finding[] {
  const { made, ok, note, warn } = findings('configuration');
  const { urls } = config.identity;
  if (urls.length > 0) {
    ok('identity', `The public addresses of this relay are ${urls.join(', ')}.`);
    return made;
  }
  const hosts = reachedBy.map(({ host }) => host);
  const advice = identityAdvice(config, hosts);
  const lines = (hosts.length > 0 ? hosts : ['relay.example']).map((host) =>
    identityLine(config, host),
  );
  const write = `Write your public addresses into relay.conf, then run wok reload: ${lines.join(' or ')}`;
  if (advice === null) {
    note(
      'identity',
      'identity.urls is empty: only loopback names are recognised as this relay.',
      write,
    );
    return made;
  }
  const seen = reachedBy.map(({ host, count }) => `${host} (${formatCount(count)} times)`);
  const reached = seen.length === 0 ? '' : ` Clients used ${seen.join(', ')}.`;
  warn('identity', `${advice[0]!.toUpperCase()}${advice.slice(1)}.${reached}`, write);
  return made;
}
