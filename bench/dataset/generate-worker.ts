// Main function of a thread that generates lines of a dataset.

import { EventMaker } from './event-maker.ts';
import type { DatasetParameters } from './parameters.ts';
import { loadSigner } from './signer.ts';

/** Range of lines of a dataset: `count` of them from line `first` on. */
export interface GenerateTask {
  readonly parameters: DatasetParameters;
  readonly first: number;
  readonly count: number;
}

let maker: { key: string; made: EventMaker } | undefined;

/** Returns the lines, each with a line feed. The generator is kept between tasks of one dataset. */
export async function run({ parameters, first, count }: GenerateTask): Promise<Uint8Array> {
  const key = JSON.stringify(parameters);
  if (maker?.key !== key) maker = { key, made: new EventMaker(parameters, await loadSigner()) };
  const { made } = maker;
  let text = '';
  for (let index = first; index < first + count; index++) text += `${made.line(index)}\n`;
  // TextEncoder allocates separately; sending a small Buffer would copy its whole pool.
  return new TextEncoder().encode(text);
}
