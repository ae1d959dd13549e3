// Printer of a configuration as a relay.conf, with every option, its description and its default.

import { firstOptions } from './first-options.ts';
import type { Constant, Option, OptionValue } from './option-types.ts';
import {
  type Config,
  configValue,
  defaultConfig,
  type OptionKey,
  optionKeys,
  optionOf,
  type SectionName,
  sections,
  splitKey,
} from './options.ts';
import { PEERS_TEXT, type PeerEntry, peerFields } from './peer-fields.ts';
import { tomlValue } from './toml-text.ts';
import { describeValue } from './value-schema.ts';

const LINE_LENGTH_MAX = 100;

const HEADER = `# Configuration of a wok relay (TOML). All options are listed; one that is left out has its
# default. An environment variable WOK_SECTION__KEY beats this file, for instance WOK_IO__PORT=7778
# (lists with commas), and \`wok relay --set section.key=value\` beats both.
#
# wok reads one file, the first that is there of: --config FILE, $WOK_CONFIG, ./relay.local.conf,
# ./relay.conf, /etc/wok/relay.conf. In a clone write your options into relay.local.conf, which git
# ignores. The start and \`wok status\` say which file is in effect.
# To check a file: wok config check --config FILE
`;

/** Returns the list of the options to set first, as comment lines under a heading. */
function firstOptionsText(): string {
  const entries = Object.entries(firstOptions);
  const width = Math.max(...entries.map(([key]) => key.length)) + 4;
  const lines = entries.map(([key, meaning]) => {
    const [section, name] = splitKey(key as OptionKey);
    return `#   ${`[${section}] ${name}`.padEnd(width)}${meaning}\n`;
  });
  return `\n# The ${lines.length} options to set first, each in its [section] below:\n#\n${lines.join('')}`;
}

/** Returns the text of a relay.conf, with the texts of the option table as comments. */
export function printConfig(config: Config = defaultConfig): string {
  let text = HEADER + firstOptionsText();
  let open: SectionName | undefined;
  for (const key of optionKeys) {
    const [section, name] = splitKey(key);
    if (section !== open) text += `\n\n${comment(sections[section])}[${section}]\n`;
    open = section;
    text += `\n${comment(optionOf(key).text)}${comment(facts(key))}`;
    text += assignment(name, configValue(config, key));
  }
  return text + peersText(config);
}

/** Returns the fields of a peer as comments, and the entries of the configuration. */
function peersText({ peers }: Config): string {
  let text = `\n\n${comment(PEERS_TEXT)}#\n# [[peers]]\n`;
  for (const [name, field] of Object.entries(peerFields)) {
    const sample = name === 'urls' ? ['wss://relay.example.com'] : field.default;
    text += `#\n${comment(field.text)}${comment(`${takes(field)}.`)}# ${assignment(name, sample)}`;
  }
  for (const entry of peers) {
    text += '\n[[peers]]\n';
    for (const [name, value] of Object.entries(entry)) {
      const field = peerFields[name as keyof PeerEntry];
      if (tomlValue(value) !== tomlValue(field.default)) text += assignment(name, value);
    }
  }
  return text;
}

/** Returns the line of an option; a list that is longer than a line has an item a line. */
function assignment(name: string, value: OptionValue): string {
  const line = `${name} = ${tomlValue(value)}\n`;
  if (line.length <= LINE_LENGTH_MAX || typeof value !== 'object') return line;
  const items = value.map((item) => `  ${tomlValue(item)},\n`);
  return `${name} = [\n${items.join('')}]\n`;
}

/**
 * Returns the valid values, the default and the reload rule of an option, like `Bytes: a whole
 * number from 1024 to 67108864. Default 65536 (64 KiB). Applies live.`
 */
function facts(key: OptionKey): string {
  const option = optionOf(key);
  const standard = `Default ${tomlValue(option.default)}${inWords(option)}`;
  return `${takes(option)}. ${standard}. ${option.reload ? 'Applies live' : 'Needs a restart'}.`;
}

/** Returns the unit and the valid values of an option. */
function takes(option: Constant): string {
  // The text of [rates] explains the form of a rate.
  const isRate = option.type === 'string' && option.format === 'rate';
  const values = isRate ? 'a rate, or empty' : describeValue(option);
  const unit = option.type === 'integer' ? option.unit : undefined;
  return unit === undefined ? capitalised(values) : `${capitalised(unit)}: ${values}`;
}

function inWords(option: Option): string {
  if (option.type !== 'integer' || option.unit !== 'bytes' || option.default === 0) return '';
  if (option.default % 1024 ** 2 === 0) return ` (${option.default / 1024 ** 2} MiB)`;
  return option.default % 1024 === 0 ? ` (${option.default / 1024} KiB)` : '';
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Formats a text as comment lines, wrapped at `LINE_LENGTH_MAX` columns. */
function comment(text: string): string {
  const lines = ['#'];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line.length + 1 + word.length > LINE_LENGTH_MAX) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return `${lines.join('\n')}\n`;
}
