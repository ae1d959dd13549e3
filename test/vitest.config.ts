// Configuration of vitest for all tests but those of test/clients.

import { defineConfig } from 'vitest/config';
import { TEST_MILLISECONDS, WAIT_MILLISECONDS } from './support/ceiling.ts';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Client libraries that others wrote, with a package.json of their own: npm run test:clients.
    exclude: ['test/clients/**', '**/node_modules/**'],
    globalSetup: 'test/support/global-setup.ts',
    setupFiles: 'test/support/setup.ts',
    // uWebSockets.js and the relay's worker threads want a process of their own for each file.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: TEST_MILLISECONDS,
    hookTimeout: TEST_MILLISECONDS,
    teardownTimeout: WAIT_MILLISECONDS,
    expect: { poll: { timeout: WAIT_MILLISECONDS } },
    reporters: ['default'],
  },
});
