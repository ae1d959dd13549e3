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

/**
 * Returns the line (from 1) of each key and each table header of a TOML text, by dotted path. A key
 * inside an inline table is on the line of that table, under the table's own path.
 *
 * The parser reports no positions, so this scans the text again. The parser must have accepted the
 * text: the scan looks for structure and checks nothing.
 */
export function tomlLines(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  let table: string[] = [];
  let line = 1;
  // A statement is a header, a key with its value (which may span lines), a comment, or nothing.
  for (const statement of statements(text)) {
    const trimmed = statement.trimStart();
    if (trimmed.startsWith('[')) {
      table = keyPath(trimmed.replace(/^\[+/, ''), ']');
      remember(lines, table, line);
    } else if (trimmed !== '' && !trimmed.startsWith('#')) {
      remember(lines, [...table, ...keyPath(trimmed, '=')], line);
    }
    line += statement.split('\n').length - 1;
  }
  return lines;
}

function remember(lines: Map<string, number>, path: readonly string[], line: number): void {
  const dotted = path.join('.');
  if (!lines.has(dotted)) lines.set(dotted, line);
}

const STRING = /"""(?:\\[\s\S]|[^\\])*?"""+|'''[\s\S]*?'''+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'/y;

/** Splits a text after each line end that is outside of strings, comments and brackets. */
function* statements(text: string): Generator<string> {
  let start = 0;
  let depth = 0;
  for (let at = text.startsWith('\ufeff') ? 1 : 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === '"' || char === "'") {
      STRING.lastIndex = at;
      at += (STRING.exec(text)?.[0].length ?? 1) - 1;
    } else if (char === '#') {
      const end = text.indexOf('\n', at);
      at = (end < 0 ? text.length : end) - 1;
    } else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    else if (char === '\n' && depth === 0) {
      yield text.slice(start, at + 1);
      start = at + 1;
    }
  }
  yield text.slice(start);
}

/** Returns the parts of a dotted key, up to `end`. */
function keyPath(text: string, end: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < text.length && text[at] !== end; at++) {
    const char = text[at]!;
    if (char === '"' || char === "'") {
      STRING.lastIndex = at;
      const quoted = STRING.exec(text)?.[0] ?? char;
      part += quoted.slice(1, -1);
      at += quoted.length - 1;
    } else if (char === '.') {
      parts.push(part);
      part = '';
    } else if (!/\s/.test(char)) part += char;
  }
  return [...parts, part];
}
