// Zod schemas and the JSON Schema of the configuration, made from the option table.

import { z } from 'zod';
import {
  type OptionKey,
  optionKeys,
  optionOf,
  type SectionName,
  sections,
  splitKey,
} from './options.ts';
import { PEERS_TEXT, peerFields } from './peer-fields.ts';
import { describeValue, valueSchema } from './value-schema.ts';

/** Zod schema of a whole configuration file; every section and every option may be left out. */
export const configSchema = z
  .strictObject({
    ...Object.fromEntries(
      Object.entries(sections).map(([section, text]) => [
        section,
        z
          .strictObject(sectionShape(section as SectionName))
          .optional()
          .meta({ description: text }),
      ]),
    ),
    peers: z.array(z.strictObject(peerShape())).optional().meta({ description: PEERS_TEXT }),
  })
  .meta({ title: 'relay.conf', description: 'The configuration of a wok relay.' });

function sectionShape(section: SectionName): Record<string, z.ZodType> {
  const shape: Record<string, z.ZodType> = {};
  for (const key of optionKeys) {
    const [inSection, name] = splitKey(key);
    if (inSection === section) shape[name] = documented(key);
  }
  return shape;
}

function peerShape(): Record<string, z.ZodType> {
  const shape: Record<string, z.ZodType> = {};
  for (const [name, field] of Object.entries(peerFields)) {
    const schema = valueSchema(field);
    const description = `${field.text} (${describeValue(field)})`;
    shape[name] = (name === 'urls' ? schema : schema.optional()).meta({ description });
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
  readonly items?: JsonSchema;
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
  const fields = schema.properties?.peers?.items?.properties;
  for (const [name, field] of Object.entries(peerFields)) {
    const property = fields?.[name];
    if (property !== undefined && name !== 'urls') property.default = field.default;
  }
  return schema;
}
