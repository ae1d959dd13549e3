// RPC method of the event search.

import { z } from 'zod';
import { rpcMethod } from '../../rpc/method.ts';
import type { AdminReads } from '../context.ts';

const LIMIT_MAX = 200;
const TEXT_MAX = 1_000;

/** Ids and keys; long if they carry relay hints (nevent1…, nprofile1…). */
const texts = z.array(z.string().max(5_000)).optional();
const time = z.int().nonnegative().optional();

/** RPC method `search`: returns a page of matching events, newest first. */
export const searchMethod = rpcMethod({
  params: z.strictObject({
    ids: texts,
    authors: texts,
    kinds: z.array(z.int()).optional(),
    tags: z.record(z.string().regex(/^[a-zA-Z]$/, 'one letter'), z.array(z.string())).optional(),
    since: time,
    until: time,
    words: z.string().max(TEXT_MAX).optional(),
    limit: z.int().positive().max(LIMIT_MAX).default(50),
    cursor: z.string().max(TEXT_MAX).optional(),
  }),
  run: (params, context: AdminReads, caller) => context.search.page(params, caller),
});
