import { z } from 'zod';
import type { RetentionTask } from '../page-api/config.ts';
import { verb } from '../room.ts';

/** `mod.retention`: what the rules of retention would remove now (`preview`), or remove it (`run`). */
export const retentionVerb = verb({
  name: 'mod.retention',
  params: z.strictObject({ do: z.enum(['preview', 'run']) }),
  run: (params, { retention }, { by }) =>
    params.do === 'preview' ? retention.preview() : retention.run(by),
});

/** `retention.task`: the same in the background, for whoever cannot wait. */
export const retentionTaskVerb = verb({
  name: 'retention.task',
  params: z.strictObject({ do: z.enum(['preview', 'run', 'show', 'stop']) }),
  run(params, { retentionTasks }, { by }): RetentionTask | null {
    if (params.do === 'show') return retentionTasks.show();
    return params.do === 'stop' ? retentionTasks.stop() : retentionTasks.begin(params.do, by);
  },
});
