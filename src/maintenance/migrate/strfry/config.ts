// Reader of strfry.conf and of the file of `strfry router`.

import { dirname, join, resolve } from 'node:path';
import { exitCodes } from '../../../lib/exit-codes.ts';
import { parseTaocppConfig, TaocppConfigError } from '../../../lib/taocpp-config.ts';
import { configFileAt, readText, statusOf } from '../files.ts';
import { type Reading, SourceError } from '../source.ts';
import { type Translator, translate } from '../translation.ts';
import { readRouterFile } from './router.ts';
import { strfryRules } from './rules.ts';

const ROUTER_NAMES = ['strfry-router.conf', 'strfry-router.config', 'router.conf', 'router.config'];

/** Configuration of strfry. */
export interface StrfryReading extends Reading {
  /** Path of strfry.conf. */
  readonly file: string;
  /** Directory in which strfry runs, where its relative paths start. */
  readonly directory: string;
  /** Path of its database. */
  readonly database: string;
}

/**
 * Reads the configuration of strfry.
 *
 * @param path strfry.conf, or its directory.
 * @param router file of `strfry router`; undefined: the one beside strfry.conf, if there is one.
 * @param runIn directory in which strfry is started; undefined: that of strfry.conf.
 * @throws SourceError
 */
export function readStrfry(
  path: string,
  router: string | undefined,
  runIn: string | undefined,
): StrfryReading {
  const file = configFileAt(path, ['strfry.conf']);
  if (file === undefined) {
    throw new SourceError(
      `there is no strfry.conf in ${path}; name the file itself.`,
      exitCodes.refused,
    );
  }
  const directory = runIn ?? dirname(file);
  const tree = parsed(file, parseTaocppConfig);
  const translation = translate(tree, strfryRules, directory);
  const routerFile = router ?? ROUTER_NAMES.map((name) => join(dirname(file), name)).find(isThere);
  if (routerFile !== undefined) addRouter(routerFile, translation);
  return {
    translation,
    from: routerFile === undefined ? file : `${file} and ${routerFile}`,
    takesPayments: false,
    file,
    directory,
    database: resolve(directory, typeof tree.db === 'string' ? tree.db : './strfry-db/'),
  };
}

/** Adds a remark on the streams of a router file, which `wok router` reads itself. */
function addRouter(file: string, into: Translator): void {
  const { streams, problems, verbose } = parsed(file, readRouterFile);
  into.apply(
    () => {
      into.act(
        `wok router ${file} takes this file as it is; run it as a service (docs/mirroring.md).`,
      );
      if (verbose !== undefined) into.note('verbose has no counterpart.');
    },
    `router file ${file}`,
    streams.map(({ name }) => name),
  );
  for (const problem of problems) into.apply(() => into.act(problem), file, undefined);
}

function isThere(file: string): boolean {
  return statusOf(file)?.isFile() === true;
}

function parsed<T>(file: string, parse: (text: string) => T): T {
  try {
    return parse(readText(file));
  } catch (error) {
    if (!(error instanceof TaocppConfigError)) throw error;
    const { line, column, message } = error;
    throw new SourceError(`${file} line ${line}, column ${column}: ${message}.`, exitCodes.refused);
  }
}
