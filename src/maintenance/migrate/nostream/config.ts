// Reader of the settings.yaml of nostream, and of the `.env` file beside it.

import { dirname, join } from 'node:path';
import { exitCodes } from '../../../lib/exit-codes.ts';
import { configFileAt, readText, statusOf } from '../files.ts';
import { type Reading, SourceError } from '../source.ts';
import { isTree, type Rules, type Tree, translate } from '../translation.ts';
import { environmentRule, nostreamRules } from './rules.ts';

/** Default of nostream that differs from that of wok and decides where clients connect. */
const STANDARD: Tree = { 'env.RELAY_PORT': 8008 };

/** Configuration of nostream. */
export interface NostreamReading extends Reading {
  /** Variables of its `.env` file. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Reads the configuration of nostream.
 *
 * @param path settings.yaml, the directory of it, or the one above (with `.nostr`).
 * @throws SourceError
 */
export async function readNostream(path: string): Promise<NostreamReading> {
  const file = configFileAt(path, ['settings.yaml', join('.nostr', 'settings.yaml')]);
  if (file === undefined) {
    throw new SourceError(
      `there is no settings.yaml in ${path}; name the file itself.`,
      exitCodes.refused,
    );
  }
  const settings = await yamlOf(file);
  const places = [dirname(file), dirname(dirname(file))].map((place) => join(place, '.env'));
  const environmentFile = places.find((one) => statusOf(one)?.isFile() === true);
  const environment = environmentFile === undefined ? {} : environmentOf(readText(environmentFile));
  const payments = isTree(settings.payments) ? settings.payments : {};
  const tree = { ...settings, env: environment };
  return {
    translation: translate(tree, rulesFor(environment), dirname(file), STANDARD),
    from: environmentFile === undefined ? file : `${file} and ${environmentFile}`,
    takesPayments: payments.enabled === true,
    environment,
  };
}

/** Returns the rules, with one for each variable that is known by the beginning of its name. */
function rulesFor(environment: Readonly<Record<string, string>>): Rules {
  const found = Object.keys(environment).flatMap((name) => {
    const rule = environmentRule(name);
    return rule === undefined ? [] : [[`env.${name}`, rule] as const];
  });
  return { ...Object.fromEntries(found), ...nostreamRules };
}

async function yamlOf(file: string): Promise<Tree> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(readText(file));
  const [error] = document.errors;
  if (error !== undefined) {
    const [begin] = error.linePos ?? [];
    const place = begin === undefined ? '' : ` line ${begin.line}, column ${begin.col}`;
    const reason = error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
    throw new SourceError(`${file}${place}: this is not YAML: ${reason}.`, exitCodes.refused);
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (value === null) return {};
  if (isTree(value)) return value;
  throw new SourceError(`${file} has no settings; name the settings.yaml.`, exitCodes.refused);
}

/** Returns the variables of a `.env` file: lines `NAME=value`, with or without quotes. */
export function environmentOf(text: string): Record<string, string> {
  const found = text.matchAll(
    /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(.*?)[ \t\r]*$/gm,
  );
  return Object.fromEntries(
    [...found].map(([, name, value]) => {
      const [, quoted] = /^(?:"(.*)"|'(.*)')$/.exec(value!)?.filter(Boolean) ?? [];
      return [name!, quoted ?? value!.replace(/\s+#.*$/, '')];
    }),
  );
}
