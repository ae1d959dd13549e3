// Check of one value of a configuration, with a sentence about what is wrong with it.

import { nearest } from '../lib/nearest.ts';
import { isSecretKey } from './formats.ts';
import type { Constant, OptionValue } from './option-types.ts';
import { tomlValue } from './toml-text.ts';
import { describeValue, valueSchema } from './value-schema.ts';

/** Value in its normal form, or the sentence about it. */
type Checked = { readonly value: OptionValue } | { readonly problem: string };

/**
 * Checks the value of an option, a constant, or a field of a table.
 *
 * @param name begins the sentence about a wrong value: `io.port`.
 * @param assigned name before the equals sign in the file: `port`.
 * @param isText true if the source knows only text, so that "7777" is a number.
 */
export function checkValue(
  option: Constant,
  given: unknown,
  { name, assigned, isText }: { name: string; assigned: string; isText: boolean },
): Checked {
  const raw = isText ? fromText(option, String(given)) : given;
  const result = valueSchema(option).safeParse(raw);
  if (result.success) return { value: result.data as OptionValue };
  const index = result.error.issues[0]?.path[0];
  const must = `must be ${describeValue(option)}.`;
  if (Array.isArray(raw) && typeof index === 'number') {
    return { problem: `${name} contains ${shown(raw[index])}, but ${must}` };
  }
  const advice = [`${name} is ${shown(raw)}, but ${must}`];
  if (option.type === 'enum' && typeof raw === 'string') {
    const meant = nearest(raw, option.values);
    if (meant !== undefined) advice.push(`Did you mean "${meant}"?`);
  }
  const instead = isText ? undefined : retyped(option, raw);
  if (instead !== undefined) advice.push(`Write ${assigned} = ${tomlValue(instead)}`);
  return { problem: advice.join(' ') };
}

/** Converts a text of the environment or command line; returns it as it is if unclear. */
function fromText(option: Constant, text: string): unknown {
  switch (option.type) {
    case 'integer':
      return /^[+-]?\d+(_\d+)*$/.test(text.trim()) ? Number(text.replaceAll('_', '')) : text;
    case 'boolean':
      if (['true', '1'].includes(text.trim().toLowerCase())) return true;
      return ['false', '0'].includes(text.trim().toLowerCase()) ? false : text;
    case 'string[]':
      // A list as JSON and TOML write it, for items that contain commas.
      if (text.trimStart().startsWith('[')) return fromJson(text);
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    default:
      return text;
  }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Returns the value in the right type: 7777 for "7777", "5" for 5, ["::1"] for "::1". */
function retyped(option: Constant, raw: unknown): OptionValue | undefined {
  if (!['string', 'number', 'boolean'].includes(typeof raw)) return undefined;
  if (isSecretKey(String(raw))) return undefined;
  const value = fromText(option, String(raw));
  return valueSchema(option).safeParse(value).success ? (value as OptionValue) : undefined;
}

const SHOWN_LENGTH_MAX = 80;

function shown(value: unknown): string {
  if (typeof value === 'string') {
    if (isSecretKey(value)) return 'a secret key (keep it out of this file)';
    const cut = value.length > SHOWN_LENGTH_MAX ? `${value.slice(0, SHOWN_LENGTH_MAX)}…` : value;
    return JSON.stringify(cut);
  }
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  return typeof value === 'object' ? 'a table' : String(value);
}
