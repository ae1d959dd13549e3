import { z } from 'zod';
import { verb } from '../room.ts';

/** `reload`: the relay reads its configuration again; answers what has changed. */
export const reloadVerb = verb({
  name: 'reload',
  params: z.strictObject({}),
  run: (_, room) => room.order('reload'),
});

/** `restart`: a new process takes over without losing a connection attempt; answers its number. */
export const restartVerb = verb({
  name: 'restart',
  params: z.strictObject({}),
  run: (_, room) => room.order('restart'),
});
