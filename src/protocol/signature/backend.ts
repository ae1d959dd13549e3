// Interface of a library that verifies signatures.

/** Names of the signature backends, the fastest first. */
export type SignatureBackendName = 'libsecp256k1' | 'secp256k1' | 'noble';

/** Verifier of BIP-340 signatures of 32-byte messages, as NIP-01 uses them. One per thread. */
export interface SignatureBackend {
  readonly name: SignatureBackendName;
  /** Library file or package version in use, for the log. */
  readonly detail: string;
  /**
   * Returns true if `sig` (64 bytes) is the signature of `message` (32 bytes, for an event its id)
   * by the x-only `pubkey` (32 bytes). Never throws: malformed input, or input of another length,
   * is not valid.
   */
  verify(sig: Uint8Array, message: Uint8Array, pubkey: Uint8Array): boolean;
}
