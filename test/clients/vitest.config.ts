// Vitest configuration of `npm run test:clients`: only the client libraries, which `npm test`
// leaves out.

import { defineConfig } from 'vitest/config';
import { TEST_MILLISECONDS } from '../support/ceiling.ts';

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/clients/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    setupFiles: 'test/support/setup.ts',
    pool: 'forks',
    testTimeout: TEST_MILLISECONDS,
    hookTimeout: TEST_MILLISECONDS,
    reporters: ['default'],
  },
});
