import { statSync } from 'node:fs';
import { z } from 'zod';
import { version } from '../../paths.ts';
import { databaseFile } from '../../storage/open.ts';
import * as sql from '../../storage/sql.ts';
import { verb } from '../room.ts';

/** What `status` tells. */
export interface Status {
  version: string;
  pid: number;
  /** Seconds since 1970. */
  startedAt: number;
  database: string;
  databaseBytes: number;
  /** The last seq given out, and up to where the index behind the log has come. */
  seq: number;
  indexedSeq: number;
}

/** `status`: what runs here. */
export const statusVerb = verb({
  name: 'status',
  params: z.strictObject({}),
  run(_, { config, db, clock }): Status {
    const heads = db.prepare(sql.SELECT_HEADS).get() as { head: number; indexed: number };
    const database = databaseFile(config.storage.directory);
    return {
      version,
      pid: process.pid,
      startedAt: Math.round(clock.seconds() - process.uptime()),
      database,
      databaseBytes: statSync(database, { throwIfNoEntry: false })?.size ?? 0,
      seq: Math.max(heads.head, heads.indexed),
      indexedSeq: heads.indexed,
    };
  },
});
