import { move, transferableSymbol, valueSymbol, workerData } from 'piscina';
import { loadSignatureBackend } from '../src/protocol/signature/signature.ts';
import { type CheckedChunk, type CheckSetup, ChunkChecker } from '../src/upkeep/import/chunk.ts';

const setup = workerData as CheckSetup;
const signature = setup.verify
  ? await loadSignatureBackend(setup.config.ingester.signature_backend)
  : null;
const checker = new ChunkChecker(setup, signature);

/** A piscina task of `wok import`: checks the events of some lines. */
export function run(lines: ArrayBuffer): unknown {
  const checked: CheckedChunk = checker.check(lines);
  return move({ [transferableSymbol]: [checked.records], [valueSymbol]: checked });
}
