// RPC methods about the configuration in effect.

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
import { describeValue } from '../../config/schema.ts';
import type { OriginsAnswer } from '../../messages/control.ts';
import type { ConfigChanges, ConfigOption, ConfigView } from '../../web/api/config.ts';
import { type Room, verb } from '../context.ts';
import { infoChanges } from '../info.ts';

/** RPC method `config`: returns each option with its value and source; secrets are masked. */
export const configVerb = verb({
  name: 'config',
  params: z.strictObject({}),
  async run(_, room): Promise<ConfigView> {
    const { options: origins } = (await room.order('origins')) as OriginsAnswer;
    return {
      sections: Object.entries(sections).map(([name, text]) => ({ name, text })),
      options: optionKeys.map((key) => optionAsItIs(key, room, origins[key] ?? '')),
    };
  },
});

/** RPC method `config.compare`: returns what a reload would change, or fails with its errors. */
export const compareVerb = verb({
  name: 'config.compare',
  params: z.strictObject({}),
  run: async (_, room) => (await room.order('compare')) as ConfigChanges,
});

function optionAsItIs(key: OptionKey, { config, db }: Room, from: string): ConfigOption {
  const option = optionOf(key);
  const changed = Object.entries(infoChanges(db)).find(([name]) => key === `info.${name}`)?.[1];
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
