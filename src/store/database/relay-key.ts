// The relay's own secret key file.

import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../config/options.ts';
import { parseSecretKey } from '../../protocol/nip19.ts';
import { makeDataDirectory } from './data-directory.ts';
import { StorageError } from './error.ts';
import { syncFile } from './fsync.ts';

const OWNER_ONLY = 0o600;

/**
 * Returns the file of the relay's own secret key: `identity.secret_key_file`, or relay.key beside
 * the database.
 */
function relayKeyFile({ identity, storage }: Config): string {
  return identity.secret_key_file || join(storage.directory, 'relay.key');
}

/**
 * Returns the relay's own secret key, 32 bytes; null when there is none. With `make` one is created
 * if the file is missing, readable by its user only.
 *
 * @throws StorageError when the file holds no secret key or cannot be read or created.
 */
export function relaySecret(config: Config, make: boolean): Buffer | null {
  const file = relayKeyFile(config);
  try {
    if (make) makeKey(file);
    return parseSecret(readFileSync(file, 'utf8').trim(), file);
  } catch (error) {
    if (error instanceof StorageError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !make && config.identity.secret_key_file === '') return null;
    throw new StorageError(
      `the secret key of this relay, ${file}, cannot be used: ${message}`,
      'key',
      {
        cause: error,
      },
    );
  }
}

/**
 * Creates the key file, but never over an existing one. It appears under its name when it is whole,
 * so that a crash leaves no empty key, which would keep the relay from starting.
 */
function makeKey(file: string): void {
  if (existsSync(file)) return;
  makeDataDirectory(dirname(file));
  const made = `${file}.new`;
  // A crash may have left one, with whatever permissions.
  rmSync(made, { force: true });
  const text = `${randomBytes(32).toString('hex')}\n`;
  writeFileSync(made, text, { flag: 'wx', mode: OWNER_ONLY, flush: true });
  try {
    // Unlike a rename it fails where another process has made the file meanwhile.
    linkSync(made, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(made, { force: true });
  }
  syncFile(file);
}

function parseSecret(text: string, file: string): Buffer {
  const hex = parseSecretKey(text);
  if (hex === undefined) {
    throw new StorageError(
      `${file} must contain one secret key, as nsec1… or 64 hex characters, and nothing else`,
      'key',
    );
  }
  return Buffer.from(hex, 'hex');
}
