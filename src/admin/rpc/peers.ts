// RPC method of the relays that events are exchanged with.

import { z } from 'zod';
import { rpcMethod } from '../../rpc/method.ts';
import type { PeerStatus } from '../../web/api/peers.ts';
import type { AdminReads } from '../context.ts';

/** RPC method `peers`: returns the states of the relays of [[peers]], at most a second old. */
export const peersMethod = rpcMethod({
  params: z.strictObject({}),
  run: (_, context: AdminReads): PeerStatus[] => [...context.peers],
});
