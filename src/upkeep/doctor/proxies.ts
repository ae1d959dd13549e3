import type { Config } from '../../config/options.ts';
import { proxyLines, proxyProblem, type SeenProxy } from '../../config/proxy-advice.ts';
import { type Finding, findings } from './finding.ts';

/**
 * Whether reverse proxies tell the addresses of their clients, and what to write into their
 * configuration if not.
 *
 * @param seen those that the running relay has seen without.
 */
export function examineProxies(config: Config, seen: readonly SeenProxy[]): Finding[] {
  const { made, ok, warn } = findings('configuration');
  if (seen.length === 0) {
    ok('proxy', 'No reverse proxy was seen that does not tell the addresses of its clients.');
    return made;
  }
  const text = proxyProblem(config, seen);
  const lines = proxyLines(config, seen).join(', or ');
  warn('proxy', `${text[0]!.toUpperCase()}${text.slice(1)}.`, `Write ${lines}.`);
  return made;
}
