// Check of `wok doctor` on reverse proxies in front of the relay.

import type { Config } from '../../config/options.ts';
import { proxyLines, proxyProblem, type SeenProxy } from '../../config/proxy-advice.ts';
import { type Finding, findings } from './finding.ts';

/**
 * Checks that reverse proxies pass on the addresses of their clients; the advice names the lines of
 * configuration that are missing.
 *
 * @param seen proxies that the running relay has seen pass on no usable address.
 */
export function examineProxies(config: Config, seen: readonly SeenProxy[]): Finding[] {
  const { made, ok, warn } = findings('configuration');
  if (seen.length === 0) {
    ok('proxy', 'No reverse proxy was seen that hides the addresses of its clients.');
    return made;
  }
  const text = proxyProblem(config, seen);
  const lines = proxyLines(config, seen).join(', or ');
  warn('proxy', `${text[0]!.toUpperCase()}${text.slice(1)}.`, `Write ${lines}.`);
  return made;
}
