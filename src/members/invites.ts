// Invite codes (NIP-43). A code is sealed with the relay's key, so that codes need not be stored.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { RelaySigner } from '../protocol/relay-signer.ts';

const PURPOSE = 'wok invite 1';
const HEAD_BYTES = 14;
const SEAL_BYTES = 12;

/** Content of an invite code. Only the relay can make one, so codes are not stored. */
interface Invite {
  /** Random id of the invite, 16 hex characters, under which its uses are counted. */
  nonce: string;
  /** Number of people who may join with it, 1 … 65,535. */
  uses: number;
  /** Time of expiry, in seconds since 1970; 0: never. */
  expiresAt: number;
}

/** Returns a new invite code of 35 characters (A-Z, a-z, 0-9, - and _). */
export function makeInvite(signer: RelaySigner, uses: number, expiresAt: number): string {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(expiresAt, 0);
  head.writeUInt16BE(uses, 4);
  randomBytes(8).copy(head, 6);
  return Buffer.concat([head, sealOf(signer, head)]).toString('base64url');
}

/** Returns the content of a code, or null if this relay did not make it. */
export function readInvite(signer: RelaySigner, code: string): Invite | null {
  const bytes = Buffer.from(code, 'base64url');
  if (bytes.length !== HEAD_BYTES + SEAL_BYTES || bytes.toString('base64url') !== code) return null;
  const head = bytes.subarray(0, HEAD_BYTES);
  if (!timingSafeEqual(bytes.subarray(HEAD_BYTES), sealOf(signer, head))) return null;
  return {
    expiresAt: head.readUInt32BE(0),
    uses: head.readUInt16BE(4),
    nonce: head.toString('hex', 6),
  };
}

function sealOf(signer: RelaySigner, head: Buffer): Buffer {
  return signer.seal(PURPOSE, head).subarray(0, SEAL_BYTES);
}
