import { EventMaker } from './event-maker.ts';
import type { DatasetParameters } from './parameters.ts';
import { loadSigner } from './signer.ts';

/** Some lines of a dataset: `count` of them from line `first` on. */
export interface GenerateTask {
  readonly parameters: DatasetParameters;
  readonly first: number;
  readonly count: number;
}

let maker: { key: string; made: EventMaker } | undefined;

/** Makes the lines, each with a line feed. One maker lives as long as its thread serves one dataset. */
export async function run({ parameters, first, count }: GenerateTask): Promise<Uint8Array> {
  const key = JSON.stringify(parameters);
  if (maker?.key !== key) maker = { key, made: new EventMaker(parameters, await loadSigner()) };
  const { made } = maker;
  let text = '';
  for (let index = first; index < first + count; index++) text += `${made.line(index)}\n`;
  // Memory of its own: a small Buffer would bring its whole pool along.
  return new TextEncoder().encode(text);
}
