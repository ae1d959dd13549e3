// Applies a new configuration to a running relay: separates the changes that apply live from those
// that need a restart.

import { constantKeys } from './constants.ts';
import { isSecretKey } from './formats.ts';
import { ConfigError, originsOf, rememberOrigins } from './load.ts';
import type { OptionValue } from './option-types.ts';
import {
  buildConfig,
  type Config,
  configValue,
  type OptionKey,
  optionKeys,
  optionOf,
  type SettingKey,
} from './options.ts';
import { peersIn } from './peer-fields.ts';
import { relationProblems } from './relations.ts';
import { tomlValue } from './toml-text.ts';

/**
 * Option whose value changed, or `peers`; `from` and `to` as in relay.conf, secrets masked. Of
 * peers they are the names.
 */
interface Change {
  readonly key: OptionKey | 'peers';
  readonly from: string;
  readonly to: string;
}

/** Result of giving a new configuration to a running relay. */
export interface Reconfiguration {
  /** New values of the options that apply live, old values of all others. */
  readonly config: Config;
  /** Changes that apply now. */
  readonly live: readonly Change[];
  /** Changes that need a restart. */
  readonly waiting: readonly Change[];
}

const MASKED = '"•••"';

/**
 * Merges the options of `next` that apply live into `current`.
 *
 * @throws ConfigError if they conflict with values that must stay until a restart.
 */
export function reconfigure(current: Config, next: Config): Reconfiguration {
  const values = new Map<SettingKey, OptionValue>();
  // A process has one value for each; only tests inside it bring another one.
  for (const key of constantKeys) values.set(key, configValue(next, key));
  const live: Change[] = [];
  const waiting: Change[] = [];
  for (const key of optionKeys) {
    const { reload } = optionOf(key);
    const [from, to] = [configValue(current, key), configValue(next, key)];
    values.set(key, reload ? to : from);
    if (tomlValue(from) === tomlValue(to)) continue;
    (reload ? live : waiting).push({ key, from: shownValue(key, from), to: shownValue(key, to) });
  }
  if (JSON.stringify(current.peers) !== JSON.stringify(next.peers)) {
    live.push({ key: 'peers', from: shownPeers(current), to: shownPeers(next) });
  }
  const config = buildConfig(values, next.peers);
  const where = (key: SettingKey) =>
    waiting.some((change) => change.key === key)
      ? 'in effect until a restart'
      : 'in the new configuration';
  const problems = relationProblems(config, where, new Set());
  if (problems.length > 0) {
    const keys = waiting.map(({ key }) => key).join(', ');
    throw new ConfigError([
      ...problems,
      `This is because ${keys} cannot change while the relay runs. Restart it, or reload the other options first.`,
    ]);
  }
  const origins = new Map<OptionKey, string>();
  const [before, after] = [originsOf(current), originsOf(next)];
  for (const key of optionKeys) {
    const origin = (optionOf(key).reload ? after : before).options.get(key);
    if (origin !== undefined) origins.set(key, origin);
  }
  rememberOrigins(config, { ...after, options: origins });
  return { config, live, waiting };
}

/** Returns a value as in relay.conf; secrets are masked. */
export function shownValue(key: OptionKey, value: OptionValue): string {
  const texts = typeof value === 'object' ? value : [String(value)];
  return optionOf(key).secret || texts.some(isSecretKey) ? MASKED : tomlValue(value);
}

function shownPeers({ peers }: Config): string {
  return tomlValue(peersIn(peers).map(({ name }) => name));
}
