// Events of nostream, read from its PostgreSQL database with `psql`.

import { exitCodes } from '../../../lib/exit-codes.ts';
import { outputOf, type Program, textFrom } from '../program.ts';
import { type EventSource, SourceError } from '../source.ts';
import type { NostreamReading } from './config.ts';
import { COUNT_EVENTS, copyEvents, SELECT_ADMITTED, SELECT_NOW } from './sql.ts';

/** Time before the first pass from which on the second one reads. */
const OVERLAP_SECONDS = 3_600;
/** Neither a start-up file nor headings, and the end at the first error. */
const FLAGS = ['--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set=ON_ERROR_STOP=1'];
const NO_PASSWORD = '--no-password';

/** Place of a database, for psql. */
interface Place {
  /** Arguments that name it. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Name for people, without a password. */
  readonly name: string;
}

/**
 * Returns the events of a nostream, which may run meanwhile.
 *
 * @param url address of the database; undefined: as the `.env` file of nostream says.
 * @param command the program psql; undefined: the one in PATH. With spaces it is a command for the
 *   shell, like `docker compose exec -T nostream-db psql`.
 * @throws SourceError if no database is named.
 */
export function nostreamEvents(
  { environment }: NostreamReading,
  url: string | undefined,
  command: string | undefined,
  cwd: string,
): EventSource {
  const place = url === undefined ? placeOfEnvironment(environment, command) : placeOf(url);
  const program: Program = {
    command: command ?? 'psql',
    cwd,
    env: place.env,
    ifMissing:
      'install the client of PostgreSQL (apt install postgresql-client), or run the one in the container: --psql "docker compose exec -T nostream-db psql".',
  };
  const args = (statement: string) => [
    ...FLAGS,
    NO_PASSWORD,
    ...place.args,
    '--command',
    statement,
  ];
  let begun = 0;
  async function* first(since: number | undefined): AsyncGenerator<Buffer> {
    begun = Number(await textFrom(program, args(SELECT_NOW)));
    yield* outputOf(program, args(copyEvents(since)));
  }
  return {
    name: place.name,
    async count() {
      const text = await textFrom(program, args(COUNT_EVENTS));
      const [, events, hidden] = /^(\d+)\|(\d+)\s*$/.exec(text) ?? [];
      if (events !== undefined) return { events: Number(events), hidden: Number(hidden) };
      throw new SourceError(
        `psql answered ${JSON.stringify(text.slice(0, 80))} instead of the number of events; is ${place.name} the database of nostream?`,
        exitCodes.refused,
      );
    },
    all: (_, since) => [{ name: '', bytes: first(since) }],
    later: () => [
      { name: '', bytes: outputOf(program, args(copyEvents(begun - OVERLAP_SECONDS))) },
    ],
    async admitted() {
      const text = await textFrom(program, args(SELECT_ADMITTED));
      return text.split('\n').filter((key) => /^[0-9a-f]{64}$/.test(key));
    },
  };
}

/** Returns the place of an address. The password goes by the environment, not by the arguments. */
function placeOf(url: string): Place {
  if (!/^postgres(ql)?:\/\//.test(url)) return { args: ['--dbname', url], env: {}, name: url };
  const [, before, password, after] = /^([^/]+\/\/[^/?#]*?):([^/?#]*)(@.*)$/.exec(url) ?? [];
  if (password === undefined) return { args: ['--dbname', url], env: {}, name: url };
  const bare = `${before}${after}`;
  return {
    args: ['--dbname', bare],
    env: { PGPASSWORD: decodeURIComponent(password) },
    name: bare,
  };
}

function placeOfEnvironment(
  environment: Readonly<Record<string, string>>,
  command: string | undefined,
): Place {
  const { DB_URI, DB_HOST, DB_PORT = '5432', DB_USER, DB_PASSWORD, DB_NAME } = environment;
  if (DB_URI !== undefined && DB_URI !== '') return placeOf(DB_URI);
  if (DB_HOST !== undefined && DB_HOST !== '') {
    const args = ['--host', DB_HOST, '--port', DB_PORT];
    if (DB_USER !== undefined) args.push('--username', DB_USER);
    if (DB_NAME !== undefined) args.push('--dbname', DB_NAME);
    const env = DB_PASSWORD === undefined ? {} : { PGPASSWORD: DB_PASSWORD };
    return { args, env, name: `${DB_NAME ?? 'the database'} on ${DB_HOST}:${DB_PORT}` };
  }
  // The operator's command may name the database itself.
  if (command !== undefined) return { args: [], env: {}, name: command };
  throw new SourceError(
    'no database is named: write --database postgresql://USER:PASSWORD@HOST/NAME, or --psql "docker compose exec -T nostream-db psql -U nostr_ts_relay" to ask the one in the container. Events in a file: --events FILE.',
    exitCodes.refused,
  );
}
