// URLs of the compiled worker files.

/** Names of the worker files. */
type BenchWorker = 'dataset/generate-worker' | 'load/load-worker';

/**
 * Returns the URL of a compiled worker file, as Piscina takes it. Sources (vitest) get the one in
 * dist/ too, because a worker thread cannot load TypeScript on every Node.js that wok supports.
 */
export function workerFile(name: BenchWorker): string {
  const bench = import.meta.url.endsWith('.ts') ? '../dist/bench/' : './';
  return new URL(`${bench}${name}.js`, import.meta.url).href;
}
