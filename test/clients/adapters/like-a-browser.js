/**
 * What libraries for browsers expect of what is around them. Given to node with --import, because some
 * look for it while they are loaded.
 */
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

// Node.js loads this file a second time, in the thread where `resolve` runs.
if (isMainThread) {
  const { WebSocket } = await import('ws');
  // Node.js 20 has none of its own; and a browser gives each message a turn of its own.
  globalThis.WebSocket = class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols, { allowSynchronousEvents: false });
    }
  };
  register(import.meta.url);
}

/** Finds modules as bundlers do: imports without a file extension, and the global WebSocket. */
export async function resolve(specifier, context, next) {
  if (specifier === 'isomorphic-ws') return next('isomorphic-ws/browser.js', context);
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!specifier.startsWith('.')) throw error;
    return next(`${specifier}.js`, context).catch(() => next(`${specifier}/index.js`, context));
  }
}
