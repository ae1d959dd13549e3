// Handler of Ctrl-C and SIGTERM for commands that can end in order.

import { INTERRUPTED } from '../lib/exit-codes.ts';

/**
 * Runs work that Ctrl-C (or SIGTERM) may end in order: the first one aborts the signal, a second
 * one ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return await work(controller.signal);
  } finally {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
  }
}
