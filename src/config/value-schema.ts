// Zod schemas of single values of the configuration, and their description.

import { z } from 'zod';
import { type Format, type FormatName, formats } from './formats.ts';
import type { Constant } from './option-types.ts';

/**
 * Returns the zod schema of the value of an option or a constant. Text in a format comes out in its
 * normal form.
 */
export function valueSchema(option: Constant): z.ZodType {
  switch (option.type) {
    case 'integer':
      return integerSchema(option);
    case 'boolean':
      return z.boolean();
    case 'enum':
      return z.enum(option.values);
    case 'string':
      return stringSchema(option.format);
    case 'string[]':
      return z.array(stringSchema(option.format));
  }
}

function integerSchema({ min, max, zero }: Extract<Constant, { type: 'integer' }>): z.ZodType {
  if (zero === undefined) return z.int().min(min).max(max);
  if (min <= 1) return z.int().min(0).max(max);
  return z.union([z.literal(0), z.int().min(min).max(max)]);
}

function stringSchema(name: FormatName | undefined): z.ZodType {
  if (name === undefined) return z.string();
  const { parse }: Format = formats[name];
  return z.string().transform((text, context) => {
    const normal = parse(text);
    if (normal !== undefined) return normal;
    context.addIssue({ code: 'custom', message: 'wrong format' });
    return z.NEVER;
  });
}

/**
 * Describes the valid values of an option or a constant, to follow "must be": `a whole number from
 * 1 to 65535, or 0 (any free port)`.
 */
export function describeValue(option: Constant): string {
  switch (option.type) {
    case 'integer': {
      const range = `a whole number from ${option.min} to ${option.max}`;
      return option.zero === undefined ? range : `${range}, or 0 (${option.zero})`;
    }
    case 'boolean':
      return 'true or false';
    case 'enum':
      return `one of ${option.values.map((value) => `"${value}"`).join(', ')}`;
    case 'string':
      return option.format === undefined ? 'a string in quotes' : formats[option.format].must;
    case 'string[]':
      return option.format === undefined
        ? 'a list of strings'
        : `a list, each item ${formats[option.format].must}`;
  }
}
