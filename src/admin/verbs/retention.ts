import { z } from 'zod';
import { verb } from '../room.ts';

/** `mod.retention`: what the rules of retention would remove now (`preview`), or remove it (`run`). */
export const retentionVerb = verb({
  name: 'mod.retention',
  params: z.strictObject({ do: z.enum(['preview', 'run']) }),
  run: (params, { retention }, { by }) =>
    params.do === 'preview' ? retention.preview() : retention.run(by),
});
