// RPC methods that show the configuration in effect, and reload it or replace the process.

import { z } from 'zod';
import { shownValue } from '../../config/change.ts';
import {
  configValue,
  defaultConfig,
  type OptionKey,
  optionKeys,
  optionOf,
  sections,
} from '../../config/options.ts';
import { describeValue } from '../../config/value-schema.ts';
import type { InfoChanges } from '../../messages/admin-io.ts';
import type { Order, OriginsAnswer } from '../../messages/control.ts';
import { rpcMethod } from '../../rpc/method.ts';
import type { ConfigOption, ConfigView } from '../../web/api/config.ts';
import type { AdminReads } from '../context.ts';
import { infoChanges } from '../info.ts';

/** RPC method `config`: returns each option with its value and source; secrets are masked. */
export const configMethod = rpcMethod({
  params: z.strictObject({}),
  async run(_, context: AdminReads): Promise<ConfigView> {
    const { options: origins } = (await context.order('origins')) as OriginsAnswer;
    const changes = infoChanges(context.db);
    return {
      sections: Object.entries(sections).map(([name, text]) => ({ name, text })),
      options: optionKeys.map((key) => optionAsItIs(key, context, changes, origins[key] ?? '')),
    };
  },
});

/** RPC method `config.compare`: returns what a reload would change, or fails with its errors. */
export const compareMethod = ordering('compare');

/** RPC method `reload`: reads the configuration again and returns the changes. */
export const reloadMethod = ordering('reload');

/**
 * RPC method `restart`: starts a new process, which takes over without losing a connection attempt;
 * returns its pid.
 */
export const restartMethod = ordering('restart');

function ordering(order: Order) {
  return rpcMethod({
    params: z.strictObject({}),
    run: (_, context: AdminReads) => context.order(order),
  });
}

function optionAsItIs(
  key: OptionKey,
  { config }: AdminReads,
  changes: InfoChanges,
  from: string,
): ConfigOption {
  const option = optionOf(key);
  const changed = Object.entries(changes).find(([name]) => key === `info.${name}`)?.[1];
  const value = shownValue(key, changed ?? configValue(config, key));
  const standard = shownValue(key, option.default);
  return {
    key,
    value,
    default: standard,
    isDefault: shownValue(key, configValue(defaultConfig, key)) === value,
    from: changed === undefined ? from : 'changed while the relay ran',
    live: option.reload,
    secret: option.secret ?? false,
    takes: describeValue(option),
    unit: option.type === 'integer' ? (option.unit ?? '') : '',
    text: option.text,
  };
}
