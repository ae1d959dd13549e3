// Configuration of vitest for all tests but those of test/clients.

import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { TEST_MILLISECONDS, WAIT_MILLISECONDS } from './support/ceiling.ts';

/** Files that take a minute and more. They run first, so that none is left alone at the end. */
const LONG = [
  'siege/siege',
  'bench/bench',
  'stress/crash',
  'stress/files',
  'store/damage',
  'stress/floods',
  'stress/order',
  'stress/vanish-order',
  'stress/oracle',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) =>
      LONG.some((name) => moduleId.endsWith(`/${name}.test.ts`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Client libraries that others wrote, with a package.json of their own: npm run test:clients.
    exclude: ['test/clients/**', '**/node_modules/**'],
    globalSetup: 'test/support/global-setup.ts',
    setupFiles: 'test/support/setup.ts',
    // The build is loaded by Node.js itself, as it runs in production, not transformed once more.
    server: { deps: { external: [/\/dist\//] } },
    // uWebSockets.js and the relay's worker threads want a process of their own for each file.
    pool: 'forks',
    // One more than processors: many tests wait for a relay, a plugin or a second to pass.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongFirst },
    testTimeout: TEST_MILLISECONDS,
    hookTimeout: TEST_MILLISECONDS,
    teardownTimeout: WAIT_MILLISECONDS,
    expect: { poll: { timeout: WAIT_MILLISECONDS } },
    reporters: ['default'],
  },
});
