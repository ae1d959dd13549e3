// RPC methods that run or preview retention.

import { z } from 'zod';
import type { RetentionTask } from '../../web/api/config.ts';
import { verb } from '../context.ts';

/** RPC method `mod.retention`: removes what the rules do not keep, or only lists it (`preview`). */
export const retentionVerb = verb({
  name: 'mod.retention',
  params: z.strictObject({ do: z.enum(['preview', 'run']) }),
  run: (params, { retention }, { by }) =>
    params.do === 'preview' ? retention.preview() : retention.run(by),
});

/** RPC method `retention.task`: does the same in the background, for callers that cannot wait. */
export const retentionTaskVerb = verb({
  name: 'retention.task',
  params: z.strictObject({ do: z.enum(['preview', 'run', 'show', 'stop']) }),
  run(params, { retentionTasks }, { by }): RetentionTask | null {
    if (params.do === 'show') return retentionTasks.show();
    return params.do === 'stop' ? retentionTasks.stop() : retentionTasks.begin(params.do, by);
  },
});
