import { z } from 'zod';
import type { OriginsAnswer } from '../../messages.ts';
import { version } from '../../paths.ts';
import { databaseFile } from '../../storage/open.ts';
import { databaseSizes } from '../../storage/sizes.ts';
import * as sql from '../../storage/sql.ts';
import type { KnownProxy } from '../proxies.ts';
import type { SeenHost } from '../reached-by.ts';
import { verb } from '../room.ts';

/** What `status` tells. */
export interface Status {
  version: string;
  pid: number;
  /** Seconds since 1970. */
  startedAt: number;
  /** The configuration file in effect; null where there is none. */
  configFile: string | null;
  database: string;
  /** The database without its write-ahead log, which has what was stored last. */
  databaseBytes: number;
  writeAheadLogBytes: number;
  /** The last seq given out, and up to where the index behind the log has come. */
  seq: number;
  indexedSeq: number;
  /**
   * Hosts by which clients reach the relay and that it does not know to be its own, the most
   * frequent first.
   */
  reachedBy: SeenHost[];
  /** What to set so that the relay knows its addresses, and why; null when nothing needs it. */
  identityAdvice: string | null;
  /** Reverse proxies that did not tell the addresses of their clients within the last hour. */
  proxies: KnownProxy[];
  /** What to write so that they do, and why; null when there are none. */
  proxyAdvice: string | null;
}

/** `status`: what runs here. */
export const statusVerb = verb({
  name: 'status',
  params: z.strictObject({}),
  async run(_, room): Promise<Status> {
    const { config, db, clock, reachedBy, proxies } = room;
    const { file: configFile } = (await room.order('origins')) as OriginsAnswer;
    const heads = db.prepare(sql.SELECT_HEADS).get() as { head: number; indexed: number };
    const database = databaseFile(config.storage.directory);
    const sizes = databaseSizes(db, config.storage.directory);
    return {
      version,
      pid: process.pid,
      startedAt: Math.round(clock.seconds() - process.uptime()),
      configFile,
      database,
      databaseBytes: sizes.file,
      writeAheadLogBytes: sizes.writeAheadLog,
      seq: Math.max(heads.head, heads.indexed),
      indexedSeq: heads.indexed,
      reachedBy: reachedBy.hosts,
      identityAdvice: reachedBy.advice,
      proxies: proxies.seen,
      proxyAdvice: proxies.advice,
    };
  },
});
