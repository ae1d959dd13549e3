// Writer of TOML values, and scanner for the line numbers of the keys in a TOML text.

import type { OptionValue } from './option-types.ts';

/** Returns a value in TOML notation. */
export function tomlValue(value: OptionValue): string {
  if (typeof value === 'string') return tomlString(value);
  if (typeof value === 'object') return `[${value.map(tomlString).join(', ')}]`;
  return String(value);
}

/** Returns a TOML string. JSON's escapes are TOML's, except for DEL, which TOML wants escaped. */
function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\x7f', '\\u007f');
}

/** Token of a TOML text: a string, a comment, a line end, punctuation, or bare text. */
const TOKEN =
  /"""(?:\\[\s\S]|[^\\])*?"""+|'''[\s\S]*?'''+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[\n=.,[\]{}]|[^\s\ufeff"'#=.,[\]{}]+/g;

/**
 * Returns the line (from 1) of each key and each table header of a TOML text, by dotted path. A key
 * inside an inline table is on the line of that table, under the table's own path. The tables of a
 * list have the paths `name[0]`, `name[1]` and so on.
 *
 * The parser reports no positions, so this reads the text again. The parser must have accepted the
 * text: tokens are told apart and nothing is checked.
 */
export function tomlLines(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  let table: string[] = [];
  let path: string[] = [];
  let place: 'key' | 'value' = 'key';
  let depth = 0;
  let line = 1;
  /** Number of brackets that the header has begun with. */
  let brackets = 0;
  const listed = new Map<string, number>();
  const remember = (parts: readonly string[]) => {
    const dotted = parts.join('.');
    if (!lines.has(dotted)) lines.set(dotted, line);
  };
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '\n' && depth === 0) {
      place = 'key';
      path = [];
      brackets = 0;
    } else if (place === 'value') {
      if (token === '[' || token === '{') depth++;
      else if (token === ']' || token === '}') depth--;
    } else if (token === '=') {
      remember([...table, ...path]);
      place = 'value';
    } else if (token === '[') brackets++;
    else if (token === ']' && brackets > 0) {
      const name = path.join('.');
      const index = listed.get(name) ?? 0;
      if (brackets === 2) {
        remember(path);
        listed.set(name, index + 1);
      }
      table = brackets === 2 ? [`${name}[${index}]`] : path;
      remember(table);
      brackets = 0;
    } else if (!/^[.[#]/.test(token)) {
      path.push(/^["']/.test(token) ? token.slice(1, -1) : token);
    }
    line += token.split('\n').length - 1;
  }
  return lines;
}
