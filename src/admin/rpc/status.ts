// RPC method of `wok status`.

import { z } from 'zod';
import type { PeerStatus } from '../../messages/admin-peers.ts';
import type { OriginsAnswer } from '../../messages/control.ts';
import { version } from '../../paths.ts';
import { rpcMethod } from '../../rpc/method.ts';
import { databaseFile } from '../../store/database/open.ts';
import { databaseSizes } from '../../store/database/sizes.ts';
import * as sql from '../../store/database/sql.ts';
import type { AdminReads } from '../context.ts';
import type { KnownProxy } from '../proxies.ts';
import type { SeenHost } from '../reached-by.ts';

/** Answer of `status`. */
export interface Status {
  version: string;
  pid: number;
  /** Seconds since 1970. */
  startedAt: number;
  /** Configuration file in effect; null if there is none. */
  configFile: string | null;
  database: string;
  /** Size of the database without its write-ahead log, which holds the latest changes. */
  databaseBytes: number;
  writeAheadLogBytes: number;
  /** Last seq assigned, and the last seq that the index covers. */
  seq: number;
  indexedSeq: number;
  /** Hosts by which clients reach the relay, not known to be its own; the most frequent first. */
  reachedBy: SeenHost[];
  /** Setting that tells the relay its addresses, and the reason; null if none is needed. */
  identityAdvice: string | null;
  /** Reverse proxies that did not pass on the addresses of their clients within the last hour. */
  proxies: KnownProxy[];
  /** Setting that makes them do so, and the reason; null if there are none. */
  proxyAdvice: string | null;
  /** Relays that events are exchanged with. */
  peers: readonly PeerStatus[];
}

/** RPC method `status`: returns version, process, database and addresses of the relay. */
export const statusMethod = rpcMethod({
  params: z.strictObject({}),
  async run(_, context: AdminReads): Promise<Status> {
    const { config, db, clock, reachedBy, proxies, peers } = context;
    const { file: configFile } = (await context.order('origins')) as OriginsAnswer;
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
      peers,
    };
  },
});
