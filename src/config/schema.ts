// Zod schemas and the JSON Schema of the configuration, made from the option table.

import { z } from 'zod';
import { type Format, type FormatName, formats } from './formats.ts';
import type { Constant } from './option-types.ts';
import {
  type OptionKey,
  optionKeys,
  optionOf,
  type SectionName,
  sections,
  splitKey,
} from './options.ts';

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

/** Zod schema of a whole configuration file; every section and every option may be left out. */
export const configSchema = z
  .strictObject(
    Object.fromEntries(
      Object.entries(sections).map(([section, text]) => [
        section,
        z
          .strictObject(sectionShape(section as SectionName))
          .optional()
          .meta({ description: text }),
      ]),
    ),
  )
  .meta({ title: 'relay.conf', description: 'The configuration of a wok relay.' });

function sectionShape(section: SectionName): Record<string, z.ZodType> {
  const shape: Record<string, z.ZodType> = {};
  for (const key of optionKeys) {
    const [inSection, name] = splitKey(key);
    if (inSection === section) shape[name] = documented(key);
  }
  return shape;
}

function documented(key: OptionKey): z.ZodType {
  const option = optionOf(key);
  const description = `${option.text} (${describeValue(option)})`;
  return valueSchema(option).optional().meta({ description });
}

/** Subset of JSON Schema that wok's schema uses. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  default?: unknown;
  readonly additionalProperties?: boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

/** Returns the JSON Schema of relay.conf, Draft 7: the one that TOML editors know. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' }) as JsonSchema;
  // zod keeps no default on a schema that normalises its text, so all defaults are set here.
  for (const key of optionKeys) {
    const [section, name] = splitKey(key);
    const property = schema.properties?.[section]?.properties?.[name];
    if (property !== undefined) property.default = optionOf(key).default;
  }
  return schema;
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
