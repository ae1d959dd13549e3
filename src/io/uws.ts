import { createRequire } from 'node:module';

/** The native module could not be loaded on this system; the message says what to do. */
export class NativeModuleError extends Error {
  override name = 'NativeModuleError';
}

/**
 * Loads uWebSockets.js. Its Linux binaries need glibc 2.27 on Node 20 and glibc 2.38 on Node 22 and 24.
 *
 * @throws NativeModuleError when there is no binary that runs here.
 */
export function loadUws(): typeof import('uWebSockets.js') {
  try {
    return createRequire(import.meta.url)('uWebSockets.js') as typeof import('uWebSockets.js');
  } catch (cause) {
    throw new NativeModuleError(
      'uWebSockets.js does not load on this system: its binaries need glibc 2.27 with Node.js 20, or glibc 2.38 with Node.js 22 and 24. Use such a system, or switch to a build of your own: npm install uWebSockets.js@uNetworking/uWebSockets.js#v20.52.0',
      { cause },
    );
  }
}
