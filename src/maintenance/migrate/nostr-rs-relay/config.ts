// Reader of the config.toml of nostr-rs-relay.

import { dirname, join, resolve } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import { exitCodes } from '../../../lib/exit-codes.ts';
import { configFileAt, readText, statusOf } from '../files.ts';
import { type Reading, SourceError } from '../source.ts';
import { isTree, type Tree, translate } from '../translation.ts';
import { nostrRsRelayRules } from './rules.ts';

const DATABASE_NAME = 'nostr.db';
/** Defaults of nostr-rs-relay that differ from those of wok and decide where clients connect. */
const STANDARD: Tree = { 'network.address': '0.0.0.0', 'network.port': 8080 };

/** Configuration of nostr-rs-relay. */
export interface NostrRsRelayReading extends Reading {
  /** Path of its SQLite database. */
  readonly database: string;
  /** True if its events are in PostgreSQL, which wok does not read. */
  readonly isPostgres: boolean;
}

/**
 * Reads the configuration of nostr-rs-relay.
 *
 * @param path config.toml, or its directory.
 * @param database nostr.db or its directory; undefined: as config.toml says.
 * @throws SourceError
 */
export function readNostrRsRelay(path: string, database: string | undefined): NostrRsRelayReading {
  const file = configFileAt(path, ['config.toml']);
  if (file === undefined && statusOf(join(path, DATABASE_NAME)) === undefined) {
    throw new SourceError(
      `there is neither a config.toml nor a ${DATABASE_NAME} in ${path}; name the directory of nostr-rs-relay or its config.toml.`,
      exitCodes.refused,
    );
  }
  const tree: Tree = file === undefined ? {} : tableOf(file);
  const directory = file === undefined ? path : dirname(file);
  const settings = isTree(tree.database) ? tree.database : {};
  const payments = isTree(tree.pay_to_relay) ? tree.pay_to_relay : {};
  const place = database ?? resolve(directory, String(settings.data_directory ?? '.'));
  const isDirectory = statusOf(place)?.isDirectory() ?? database === undefined;
  return {
    translation: translate(tree, nostrRsRelayRules, directory, STANDARD),
    from: file ?? `the defaults of nostr-rs-relay, as there is no config.toml in ${path}`,
    takesPayments: payments.enabled === true,
    database: isDirectory ? join(place, DATABASE_NAME) : place,
    isPostgres: settings.engine === 'postgres',
  };
}

function tableOf(file: string): Tree {
  try {
    return parseToml(readText(file));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const { line, column, message } = error;
    const reason = message.split('\n')[0]!.replace('Invalid TOML document: ', '');
    throw new SourceError(
      `${file} line ${line}, column ${column}: this is not TOML: ${reason}.`,
      exitCodes.refused,
    );
  }
}
