// Flags of Node.js for the threads of piscina pools.

const NO_REQUIRE = '--no-experimental-require-module';
/** Flags of the process that concern a thread and that a developer wants there, too. */
const KEPT = /^--(?:cpu-prof|heap-prof|enable-source-maps|import=)/;

/**
 * Flags for the threads of a piscina pool.
 *
 * Piscina loads a program by `require` first, and Node.js loads an ES module by it since 20.19. If
 * the thread is ended meanwhile, or loads a part of it by `import()`, the whole process aborts
 * ("Module::IsGraphAsync must be used on an instantiated module", seen with Node.js 20.20.2 twice
 * in a run of all tests). Without `require` of ES modules piscina uses `import()`.
 */
export const THREAD_FLAGS: readonly string[] = [
  ...process.execArgv.filter((flag) => KEPT.test(flag)),
  ...(process.allowedNodeEnvironmentFlags.has(NO_REQUIRE) ? [NO_REQUIRE] : []),
];
