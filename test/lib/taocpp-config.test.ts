// Parser of taocpp::config: the forms that strfry.conf and router files use, errors with their
// place, and random values that are written in both forms and read back.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseTaocppConfig,
  TaocppConfigError,
  type TaocppValue,
} from '../../src/lib/taocpp-config.ts';

/** Returns the error of a text as `line:column message`. */
function errorOf(text: string): string {
  try {
    parseTaocppConfig(text);
  } catch (error) {
    if (!(error instanceof TaocppConfigError)) throw error;
    return `${error.line}:${error.column} ${error.message}`;
  }
  return 'no error';
}

/** Returns a value without the missing prototypes of tables, for a comparison. */
const plain = (value: TaocppValue): unknown => JSON.parse(JSON.stringify(value));

describe('a configuration', () => {
  it.each<[string, string, unknown]>([
    ['empty', '', {}],
    ['of comments only', '# a\n// b\n/* c\n */', {}],
    ['with an assignment', 'db = "./x/"', { db: './x/' }],
    ['with a colon, as in JSON', '{ "a": 1, "b": [true, null] }', { a: 1, b: [true, null] }],
    [
      'with sections',
      'relay {\n  port = 1\n  info {\n name = ""\n}\n}',
      { relay: { port: 1, info: { name: '' } } },
    ],
    ['with a comment after a value', 'a = 1 # one\nb = "#" // two', { a: 1, b: '#' }],
    ['with a list without commas', 'urls = [ "a"\n "b", "c", ]', { urls: ['a', 'b', 'c'] }],
    [
      'with JSON inside',
      'filter = {"kinds":[0,3],"#t":["x"]}',
      { filter: { kinds: [0, 3], '#t': ['x'] } },
    ],
    ['with dots in a name', 'a.b = 1\na { c = 2 }\na."d.e" = 3', { a: { b: 1, c: 2, 'd.e': 3 } }],
    ['with a section twice', 'a { b { x = 1 } }\na { b { y = 2 } }', { a: { b: { x: 1, y: 2 } } }],
    ['with the last of two values', 'a = 1\na = "x"', { a: 'x' }],
    [
      'with additions',
      'a = 1 + 2\na += 3\nb = "x" + "y"\nc [ 1 ]\nc [ 2 ]',
      { a: 6, b: 'xy', c: [1, 2] },
    ],
    ['with a deletion', 'a = 1\nb = 2\na = delete', { b: 2 }],
    [
      'with numbers',
      'a = -1.5e3\nb = 0x10\nc = 10995116277760\nd = +2',
      { a: -1500, b: 16, c: 10995116277760, d: 2 },
    ],
    [
      'with single quotes and escapes',
      String.raw`a = 'it"s' b = "\t\u00e9\x41\\"`,
      { a: 'it"s', b: '\té\x41\\' },
    ],
    ['with a raw string', 'a = """\nx "y"\n\\n"""', { a: 'x "y"\n\\n' }],
    ['with line ends of Windows', 'a {\r\n b = 1\r\n}\r\n', { a: { b: 1 } }],
    [
      'with names that objects have',
      '__proto__ = 1\nconstructor { toString = 2 }',
      JSON.parse('{"__proto__":1,"constructor":{"toString":2}}'),
    ],
  ])('%s', (_, text, value) => {
    expect(plain(parseTaocppConfig(text))).toEqual(value);
  });
});

describe('an error names its line and column:', () => {
  it.each([
    ['relay {\n  port 1\n}', '2:8 after the name port there must be = and a value'],
    ['a = \n', '2:1 a value must stand here; text must be in double quotes'],
    ['a = hello', '1:5 a value must stand here; text must be in double quotes'],
    ['a = "x\nb = 1', '1:5 the string has no closing "'],
    ['a {\n b = 1\n', '3:1 a closing brace is missing, write }'],
    ['a = [ 1, 2', '1:11 a closing bracket is missing, write ]'],
    ['a = 1\n}', '2:1 a name must stand here'],
    ['{ "a": 1 } b', '1:12 there is text after the last brace'],
    ['a = 1 /* b', '1:7 the comment has no end, write */'],
    ['a = 1\na.b = 2', '2:1 a is not a table and has no members'],
    ['a = 1 + "x"', '1:5 only two values of the same kind can be added'],
    ['a = "\\q"', '1:6 \\q is no escape; write \\\\ for a backslash'],
    ['a = "\\u12"', '1:6 \\u must be followed by hexadecimal digits'],
    [
      '(include "x.conf")',
      '1:1 wok does not read extensions like (include "file"); write the contents of the file here',
    ],
    [
      'a = (env "X")',
      '1:5 wok does not read references and extensions like (env "NAME"); write the value itself',
    ],
    ['a.* = 1', '1:3 wok does not read * as a name; write each name'],
    ['a = $00ff', '1:5 wok does not read binary values; write a string in quotes'],
    [`a = ${'['.repeat(200)}`, '1:105 the nesting is deeper than 100 levels'],
  ])('%j', (text, error) => {
    expect(errorOf(text)).toBe(error);
  });
});

/** Values that the syntax can express. */
const values: fc.Arbitrary<TaocppValue> = fc.letrec<{ value: TaocppValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => !Object.is(one, -0)),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
  ),
})).value;

/** Writes a value in the form of strfry.conf: no commas, `=`, sections, comments in between. */
function written(value: TaocppValue): string {
  if (Array.isArray(value)) return `[ ${value.map(written).join(' # item\n ')} ]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{\n${membersOf(value as Readonly<Record<string, TaocppValue>>)}}`;
}

function membersOf(table: Readonly<Record<string, TaocppValue>>): string {
  return Object.entries(table)
    .map(([name, one]) => {
      const isSection = typeof one === 'object' && one !== null && !Array.isArray(one);
      const key = /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
      return `${key}${isSection ? ' ' : ' = '}${written(one)} // end\n`;
    })
    .join('');
}

describe('random values', () => {
  const tables = fc.dictionary(fc.string(), values, { maxKeys: 6 });

  it('are read back from JSON', () => {
    fc.assert(
      fc.property(tables, (table) => {
        const text = JSON.stringify(table);
        expect(plain(parseTaocppConfig(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('are read back from the form of strfry.conf', () => {
    fc.assert(
      fc.property(tables, (table) => {
        expect(plain(parseTaocppConfig(membersOf(table)))).toEqual(
          JSON.parse(JSON.stringify(table)),
        );
      }),
    );
  });

  it('and any text gives a table or an error with a place in the text', () => {
    const pieces = fc.constantFrom(
      'a',
      '=',
      '{',
      '}',
      '[',
      ']',
      '"',
      '\n',
      '+',
      '#',
      '/*',
      '.',
      '1',
      ' ',
      'delete',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        try {
          parseTaocppConfig(text);
        } catch (error) {
          if (!(error instanceof TaocppConfigError)) throw error;
          const line = text.split('\n')[error.line - 1];
          expect(line).toBeDefined();
          expect(error.column).toBeGreaterThanOrEqual(1);
          expect(error.column).toBeLessThanOrEqual(line!.length + 1);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
