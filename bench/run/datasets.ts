import type { Progress } from '../../src/lib/progress.ts';
import { Dataset } from '../dataset/dataset.ts';
import { cachedDataset } from '../dataset/generate.ts';
import { type DatasetProfile, datasetParameters } from '../dataset/parameters.ts';
import type { RunParameters } from './parameters.ts';

/** Hands out the datasets of a run: from memory, from the cache on disk, or made now. */
export class Datasets {
  readonly #parameters: RunParameters;
  readonly #progress: Progress;
  readonly #signal: AbortSignal;
  /** The files are known by name; only the latest datasets stay in memory. */
  readonly #kept = new Map<string, Dataset>();

  constructor(parameters: RunParameters, progress: Progress, signal: AbortSignal) {
    this.#parameters = parameters;
    this.#progress = progress;
    this.#signal = signal;
  }

  /** @throws the reason of the run's signal when it is aborted meanwhile. */
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
      // The stored one and that of the case at hand.
      const [oldest] = this.#kept.keys();
      if (this.#kept.size >= 3 && oldest !== undefined) this.#kept.delete(oldest);
      this.#kept.set(file, dataset);
    }
    return dataset;
  }

  /** The dataset that is stored before questions are asked. */
  stored(): Promise<Dataset> {
    return this.get('social', 0, this.#parameters.events);
  }
}
