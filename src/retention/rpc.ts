// RPC methods that run or preview retention.

import { z } from 'zod';
import { rpcMethod } from '../rpc/method.ts';
import type { RetentionTask } from '../web/api/config.ts';
import type { RetentionContext } from './context.ts';
import type { Retention } from './retention.ts';
import type { RetentionTasks } from './task.ts';

/** Context of the RPC methods. */
export interface RetentionMethodsContext extends RetentionContext {
  readonly retention: Retention;
  /** Background run of retention begun from the admin page. */
  readonly retentionTasks: RetentionTasks;
}

/** RPC method `mod.retention`: removes what the rules do not keep, or only lists it (`preview`). */
export const retentionMethod = rpcMethod({
  params: z.strictObject({ do: z.enum(['preview', 'run']) }),
  run: (params, { retention }: RetentionMethodsContext, { by }) =>
    params.do === 'preview' ? retention.preview() : retention.run(by),
});

/** RPC method `retention.task`: does the same in the background, for callers that cannot wait. */
export const retentionTaskMethod = rpcMethod({
  params: z.strictObject({ do: z.enum(['preview', 'run', 'show', 'stop']) }),
  run(params, { retentionTasks }: RetentionMethodsContext, { by }): RetentionTask | null {
    if (params.do === 'show') return retentionTasks.show();
    return params.do === 'stop' ? retentionTasks.stop() : retentionTasks.begin(params.do, by);
  },
});
