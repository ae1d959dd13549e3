// Signature backends: their common interface, and the choice of one for this machine.

import type { SignatureBackend, SignatureBackendName } from './backend.ts';
import { loadLibsecp256k1 } from './libsecp256k1.ts';
import { loadNoble } from './noble.ts';
import { loadNpmSecp256k1 } from './npm-secp256k1.ts';
import { selfTestFault } from './self-test.ts';

/** Backend that `auto` would have preferred, and why it cannot be used on this machine. */
interface PassedOver {
  readonly name: SignatureBackendName;
  readonly reason: string;
}

/** Backend in use, with those that were tried before it. */
export interface ChosenSignatureBackend extends SignatureBackend {
  /** Backends that failed; empty when the best one was found, or when one was asked for by name. */
  readonly passedOver: readonly PassedOver[];
}

/** Entry of the list that `loadSignatureBackend` goes through. */
export interface SignatureCandidate {
  readonly name: SignatureBackendName;
  /**
   * Loads the backend.
   *
   * @throws Error that says what is missing.
   */
  load(): SignatureBackend | Promise<SignatureBackend>;
  /** Sentence that tells an operator how to make this backend available. */
  readonly install: string;
}

/**
 * Candidates, best first. Median of 41 rounds of 512 verifications on a shared 2-core AMD EPYC,
 * Node 20.20: 49 µs with libsecp256k1 0.2.0 (55 µs for a key seen for the first time; 40 and 46
 * µs with 0.8.0), 76 µs and 1,840 µs.
 */
export const SIGNATURE_CANDIDATES: readonly SignatureCandidate[] = [
  {
    name: 'libsecp256k1',
    load: loadLibsecp256k1,
    install:
      'Run deploy/install-system-packages.sh to install the system library, and see that npm installed the optional package koffi.',
  },
  {
    name: 'secp256k1',
    load: loadNpmSecp256k1,
    install:
      'Run "npm install secp256k1", with a C++ compiler and Python where no prebuilt binary exists; or run deploy/install-system-packages.sh and choose libsecp256k1, which is faster.',
  },
  {
    name: 'noble',
    load: loadNoble,
    install:
      'Run "npm install"; or run deploy/install-system-packages.sh and choose libsecp256k1, which is faster.',
  },
];

/**
 * Loads the named backend, or with `auto` the best one that loads and passes a self-test here.
 *
 * Works in any number of threads at once; each calls it for itself.
 *
 * @throws Error with a sentence for the operator if the named backend, or with `auto` every one, is
 * unusable.
 */
export async function loadSignatureBackend(
  choice: 'auto' | SignatureBackendName,
  candidates: readonly SignatureCandidate[] = SIGNATURE_CANDIDATES,
): Promise<ChosenSignatureBackend> {
  const passedOver: PassedOver[] = [];
  for (const candidate of candidates) {
    if (choice !== 'auto' && choice !== candidate.name) continue;
    const { name, install } = candidate;
    try {
      const backend = await candidate.load();
      const fault = selfTestFault(backend);
      if (fault === undefined) return { ...backend, passedOver };
      passedOver.push({ name, reason: `${backend.detail}: ${fault}` });
    } catch (error) {
      passedOver.push({ name, reason: error instanceof Error ? error.message : String(error) });
    }
    if (choice === 'auto') continue;
    const reason = passedOver.at(-1)?.reason;
    throw new Error(`The signature backend ${name} cannot be used: ${reason}. ${install}`);
  }
  const tried = passedOver.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  throw new Error(`No signature backend can be used (${tried}). Run "npm install".`);
}
