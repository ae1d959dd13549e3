// Parser of the configuration syntax of taocpp::config, which strfry.conf and the file of
// `strfry router` are written in.

/** Value of a configuration: what JSON can express. */
export type TaocppValue =
  | string
  | number
  | boolean
  | null
  | readonly TaocppValue[]
  | { readonly [name: string]: TaocppValue };

/** Table of a configuration. Its tables have no prototype, so that any name is a plain key. */
export type TaocppTable = { [name: string]: TaocppValue };

/** Error in a configuration text. */
export class TaocppConfigError extends Error {
  override name = 'TaocppConfigError';
  /** Line and column of the error, from 1. */
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

/** Nesting of tables and lists, far beyond that of any configuration. */
const DEPTH_MAX = 100;
const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '0': '\0',
};
const SPACE = /(?:[\s\ufeff]|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const NAME = /[A-Za-z_]\w*/y;
const INDEX = /\d+/y;
const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)/y;
const RAW_STRING = /"""\n?([\s\S]*?)"""|'''\n?([\s\S]*?)'''/y;
/** Marker of the assignment `name = delete`. */
const DELETE = Symbol('delete');

/**
 * Parses a configuration: JSON, and in addition comments (`#`, `//`, `/* … *\/`), names without
 * quotes and with dots, `=` in place of `:`, tables without either, no commas, no braces around the
 * whole, strings in single or triple quotes, `+` and `+=`, and `= delete`. A name that is given
 * twice has the last value; tables that are written without `=` are merged.
 *
 * Not supported, each with an error that says so: references and extensions in parentheses,
 * `*` as a name, and binary values.
 *
 * @throws TaocppConfigError at the first error.
 */
export function parseTaocppConfig(text: string): TaocppTable {
  return new Parser(text).file();
}

function newTable(): TaocppTable {
  return Object.create(null) as TaocppTable;
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  file(): TaocppTable {
    this.#space();
    const isBraced = this.#take('{');
    const table = newTable();
    this.#members(table, isBraced ? '}' : '');
    if (isBraced) {
      this.#space();
      if (this.#at < this.#text.length) this.#fail('there is text after the last brace');
    }
    return table;
  }

  /** Reads members up to the closing brace; up to the end of the text if `end` is ''. */
  #members(table: TaocppTable, end: '}' | ''): void {
    for (;;) {
      this.#space();
      if (end !== '' && this.#take(end)) return;
      if (this.#at >= this.#text.length) {
        if (end === '') return;
        this.#fail(`a closing brace is missing, write ${end}`);
      }
      this.#member(table);
      this.#space();
      this.#take(',');
    }
  }

  #member(table: TaocppTable): void {
    const begin = this.#at;
    const path = this.#path();
    this.#space();
    const operator = this.#operator(path);
    this.#space();
    const names = path.slice(0, -1);
    const last = path.at(-1) ?? '';
    let inner = table;
    for (const name of names) {
      inner[name] ??= newTable();
      const next = inner[name];
      if (!isTable(next)) this.#fail(`${name} is not a table and has no members`, begin);
      inner = next;
    }
    const there = inner[last];
    // Members of a table that is written again are merged one by one, at every level.
    if (operator === '+=' && isTable(there) && this.#is('{')) {
      this.#table(there);
      return;
    }
    const value = this.#sum(operator === '=');
    if (value === DELETE) delete inner[last];
    else
      inner[last] =
        operator === '=' || there === undefined ? value : this.#added(there, value, begin);
  }

  /** Reads `=` or `:`, `+=`, or nothing before a table or a list, which adds to what is there. */
  #operator(path: readonly string[]): '=' | '+=' {
    if (this.#take('+=')) return '+=';
    if (this.#take('=') || this.#take(':')) return '=';
    if (this.#is('{') || this.#is('[')) return '+=';
    return this.#fail(`after the name ${path.join('.')} there must be = and a value`);
  }

  #path(): string[] {
    const path: string[] = [];
    do {
      this.#space();
      path.push(this.#name());
      this.#space();
    } while (this.#take('.'));
    return path;
  }

  #name(): string {
    if (this.#is('"') || this.#is("'")) return this.#string();
    if (this.#is('(')) {
      this.#fail(
        'wok does not read extensions like (include "file"); write the contents of the file here',
      );
    }
    if (this.#is('*')) this.#fail('wok does not read * as a name; write each name');
    return this.#match(NAME) ?? this.#match(INDEX) ?? this.#fail('a name must stand here');
  }

  /** Reads values with `+` between them. */
  #sum(mayDelete: boolean): TaocppValue | typeof DELETE {
    const begin = this.#at;
    if (mayDelete && this.#word() === 'delete') {
      this.#at += 'delete'.length;
      return DELETE;
    }
    let value = this.#value();
    for (;;) {
      const after = this.#at;
      this.#space();
      if (!this.#is('+') || this.#is('+=')) {
        this.#at = after;
        return value;
      }
      this.#at++;
      this.#space();
      value = this.#added(value, this.#value(), begin);
    }
  }

  #value(): TaocppValue {
    if (this.#is('[')) return this.#list();
    if (this.#is('{')) {
      const table = newTable();
      this.#table(table);
      return table;
    }
    if (this.#is('"') || this.#is("'")) return this.#string();
    if (this.#is('(')) {
      this.#fail(
        'wok does not read references and extensions like (env "NAME"); write the value itself',
      );
    }
    if (this.#is('$')) this.#fail('wok does not read binary values; write a string in quotes');
    const word = this.#word();
    if (word === 'true' || word === 'false' || word === 'null') {
      this.#at += word.length;
      return word === 'null' ? null : word === 'true';
    }
    const number = this.#match(NUMBER);
    if (number !== undefined) return numberOf(number);
    return this.#fail('a value must stand here; text must be in double quotes');
  }

  #table(table: TaocppTable): void {
    this.#enter('{');
    this.#members(table, '}');
    this.#depth--;
  }

  #enter(bracket: string): void {
    if (++this.#depth > DEPTH_MAX) this.#fail(`the nesting is deeper than ${DEPTH_MAX} levels`);
    this.#take(bracket);
  }

  #list(): TaocppValue[] {
    this.#enter('[');
    const list: TaocppValue[] = [];
    for (;;) {
      this.#space();
      if (this.#take(']')) {
        this.#depth--;
        return list;
      }
      if (this.#at >= this.#text.length) this.#fail('a closing bracket is missing, write ]');
      const item = this.#sum(false);
      if (item !== DELETE) list.push(item);
      this.#space();
      this.#take(',');
    }
  }

  #string(): string {
    const begin = this.#at;
    RAW_STRING.lastIndex = begin;
    const raw = RAW_STRING.exec(this.#text);
    if (raw !== null) {
      this.#at += raw[0].length;
      return raw[1] ?? raw[2] ?? '';
    }
    const quote = this.#text.charAt(this.#at++);
    let string = '';
    for (;;) {
      const char = this.#text.charAt(this.#at);
      if (char === '' || char === '\n') this.#fail(`the string has no closing ${quote}`, begin);
      this.#at++;
      if (char === quote) return string;
      string += char === '\\' ? this.#escape() : char;
    }
  }

  /** Reads what follows a backslash. */
  #escape(): string {
    const char = this.#text.charAt(this.#at++);
    const digits = /^[ux]$/.test(char) ? this.#digits(char) : undefined;
    if (digits !== undefined) return String.fromCodePoint(digits);
    const known = ESCAPES[char] ?? (/^["'\\/]$/.test(char) ? char : undefined);
    return known ?? this.#fail(`\\${char} is no escape; write \\\\ for a backslash`, this.#at - 2);
  }

  /** Reads the digits of `\x41`, `\u0041` and `\u{41}`. */
  #digits(kind: string): number {
    const form = kind === 'x' ? /[0-9a-fA-F]{2}/y : /[0-9a-fA-F]{4}|\{[0-9a-fA-F]{1,6}\}/y;
    const code = Number.parseInt((this.#match(form) ?? '').replace(/[{}]/g, ''), 16);
    if (code <= 0x10ffff) return code;
    return this.#fail(`\\${kind} must be followed by hexadecimal digits`, this.#at - 2);
  }

  #added(left: TaocppValue, right: TaocppValue | typeof DELETE, at: number): TaocppValue {
    if (typeof left === 'number' && typeof right === 'number') return left + right;
    if (typeof left === 'string' && typeof right === 'string') return left + right;
    if (Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
    if (isTable(left) && isTable(right)) return Object.assign(newTable(), left, right);
    return this.#fail('only two values of the same kind can be added', at);
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0;
    if (this.#is('/*')) this.#fail('the comment has no end, write */');
  }

  #is(token: string): boolean {
    return this.#text.startsWith(token, this.#at);
  }

  #take(token: string): boolean {
    const isThere = this.#is(token);
    if (isThere) this.#at += token.length;
    return isThere;
  }

  /** Returns the word at this place without reading it. */
  #word(): string | undefined {
    NAME.lastIndex = this.#at;
    return NAME.exec(this.#text)?.[0];
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fail(message: string, at = this.#at): never {
    const before = this.#text.slice(0, at);
    const line = before.split('\n').length;
    throw new TaocppConfigError(message, line, at - before.lastIndexOf('\n'));
  }
}

function isTable(value: TaocppValue | undefined | symbol): value is TaocppTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberOf(text: string): number {
  const [, sign, hex] = /^([+-]?)(0[xX].+)$/.exec(text) ?? [];
  if (hex === undefined) return Number(text);
  return sign === '-' ? -Number(hex) : Number(hex);
}
