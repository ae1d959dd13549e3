// Datasets of a run, owned by the main thread.

import type { Progress } from '../../src/lib/progress.ts';
import { Dataset } from '../dataset/dataset.ts';
import { cachedDataset } from '../dataset/generate.ts';
import { type DatasetProfile, datasetParameters } from '../dataset/parameters.ts';
import type { RunParameters } from './parameters.ts';

/** Datasets of a run: taken from memory, from the cache on disk, or made on demand. */
export class Datasets {
  readonly #parameters: RunParameters;
  readonly #progress: Progress;
  readonly #signal: AbortSignal;
  /** Datasets in memory by file, in the order in which they were loaded; three at most. */
  readonly #kept = new Map<string, Dataset>();

  constructor(parameters: RunParameters, progress: Progress, signal: AbortSignal) {
    this.#parameters = parameters;
    this.#progress = progress;
    this.#signal = signal;
  }

  /** Returns a dataset. @throws the reason of the run's signal when it is aborted meanwhile. */
  async get(profile: DatasetProfile, seedOffset: number, events: number): Promise<Dataset> {
    const { seed, until, cacheDirectory } = this.#parameters;
    const wanted = datasetParameters({ profile, events, seed: seed + seedOffset, until });
    const file = await cachedDataset(wanted, cacheDirectory, {
      signal: this.#signal,
      progress: (made) => this.#progress.update(`making ${profile} events`, made, events),
    });
    let dataset = this.#kept.get(file);
    if (dataset === undefined) {
      dataset = await Dataset.load(file);
      // The oldest one makes room; a case needs the stored dataset and its own.
      const [oldest] = this.#kept.keys();
      if (this.#kept.size >= 3 && oldest !== undefined) this.#kept.delete(oldest);
      this.#kept.set(file, dataset);
    }
    return dataset;
  }

  /** Returns the dataset that is stored before queries are sent. */
  stored(): Promise<Dataset> {
    return this.get('social', 0, this.#parameters.events);
  }
}
