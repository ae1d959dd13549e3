// RPC methods that reload or replace the process.

import { z } from 'zod';
import { verb } from '../context.ts';

/** RPC method `reload`: reads the configuration again and returns the changes. */
export const reloadVerb = verb({
  name: 'reload',
  params: z.strictObject({}),
  run: (_, room) => room.order('reload'),
});

/**
 * RPC method `restart`: starts a new process, which takes over without losing a connection attempt;
 * returns its pid.
 */
export const restartVerb = verb({
  name: 'restart',
  params: z.strictObject({}),
  run: (_, room) => room.order('restart'),
});
