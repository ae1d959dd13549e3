// Entry of the worker threads of `wok import`, which check events. Each thread owns one
// ChunkChecker.

import { move, transferableSymbol, valueSymbol, workerData } from 'piscina';
import {
  type CheckedChunk,
  type CheckSetup,
  ChunkChecker,
} from '../src/maintenance/import/chunk.ts';
import { loadSignatureBackend } from '../src/protocol/signature/signature.ts';

const setup = workerData as CheckSetup;
let checker: Promise<ChunkChecker> | null = null;

async function makeChecker(): Promise<ChunkChecker> {
  const { config, verify } = setup;
  return new ChunkChecker(
    setup,
    verify ? await loadSignatureBackend(config.ingester.signature_backend) : null,
  );
}

/** Checks the events of some lines, as a piscina task of `wok import`; moves the records. */
export async function run(lines: ArrayBuffer): Promise<unknown> {
  // Loaded with the first task: to end a thread that is loading native code ends the process.
  checker ??= makeChecker();
  const checked: CheckedChunk = (await checker).check(lines);
  return move({ [transferableSymbol]: [checked.records], [valueSymbol]: checked });
}
