// Writer of the relay.conf that a translation makes: its options by section, then a comment on
// everything that could not be carried over.

import { optionKeys, type SectionName, sections, splitKey } from '../../config/options.ts';
import { tomlValue } from '../../config/toml-text.ts';
import type { Remark, Translation } from './translation.ts';

const COLUMNS_MAX = 100;
/** Beginning of every file that `wok migrate` writes, by which it knows them again. */
const FIRST_LINE = '# relay.conf, written by `wok migrate';

/**
 * Returns the text of a relay.conf.
 *
 * @param source name of the other relay as in the command, like `strfry`.
 * @param from file or files that were translated, for the header.
 */
export function relayConf(translation: Translation, source: string, from: string): string {
  const parts = [
    `${FIRST_LINE} ${source}\` from ${from}.\n`,
    comment('Options that are not here have their default: wok config print --defaults', ''),
    comment('To check this file: wok config check --config FILE', ''),
    ...sectionsOf(translation),
  ];
  const lost = translation.remarks.filter(({ needsAction }) => needsAction);
  const rest = translation.remarks.filter(({ needsAction }) => !needsAction);
  if (lost.length > 0) parts.push(`\n\n${heading('Needs a decision')}`, ...lost.map(remarkText));
  if (rest.length > 0) parts.push(`\n\n${heading('Needs nothing')}`, ...rest.map(remarkText));
  for (const block of translation.blocks) parts.push(`\n\n${commentedOut(block)}`);
  return parts.join('');
}

/** Returns true for the text of a file that `relayConf` has made, changed by hand or not. */
export function isFromMigrate(content: string): boolean {
  return content.startsWith(FIRST_LINE);
}

function* sectionsOf({ options }: Translation): Generator<string> {
  let open: SectionName | undefined;
  for (const key of optionKeys) {
    const carried = options.get(key);
    if (carried === undefined) continue;
    const [section, name] = splitKey(key);
    if (section !== open) yield `\n\n${comment(sections[section], '')}[${section}]\n`;
    open = section;
    const from = carried.from.length === 0 ? '' : comment(`From ${carried.from.join(', ')}.`, '');
    yield `\n${from}${assignment(name, carried.value)}`;
  }
}

function assignment(name: string, value: Parameters<typeof tomlValue>[0]): string {
  const line = `${name} = ${tomlValue(value)}\n`;
  if (line.length <= COLUMNS_MAX || typeof value !== 'object') return line;
  return `${name} = [\n${value.map((item) => `  ${tomlValue(item)},\n`).join('')}]\n`;
}

function heading(title: string): string {
  return `# ${title} ${'-'.repeat(COLUMNS_MAX - title.length - 3)}\n`;
}

/** Returns a remark as comment lines: the key with its value, then the text, indented. */
function remarkText({ key, value, text }: Remark): string {
  const first = value === '' ? key : `${key} = ${value}`;
  return `#\n${comment(first, '')}${comment(text, '    ')}`;
}

/** Formats a text as comment lines, wrapped and indented. */
function comment(text: string, indent: string): string {
  const begin = `#${indent}`;
  const lines = [begin];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1)!;
    if (line !== begin && line.length + 1 + word.length > COLUMNS_MAX) {
      lines.push(`${begin} ${word}`);
    } else lines[lines.length - 1] = `${line} ${word}`;
  }
  return `${lines.join('\n')}\n`;
}

function commentedOut(block: string): string {
  return block
    .trimEnd()
    .split('\n')
    .map((line) => `${`# ${line}`.trimEnd()}\n`)
    .join('');
}
