// Configuration of vitest for the program that makes the pictures of the documents.

import { defineConfig } from 'vitest/config';
import { TEST_MILLISECONDS, WAIT_MILLISECONDS } from '../support/ceiling.ts';

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/screenshots/screenshots.ts'],
    globalSetup: 'test/support/global-setup.ts',
    setupFiles: 'test/support/setup.ts',
    pool: 'forks',
    testTimeout: TEST_MILLISECONDS,
    hookTimeout: TEST_MILLISECONDS,
    teardownTimeout: WAIT_MILLISECONDS,
    reporters: ['default'],
  },
});
