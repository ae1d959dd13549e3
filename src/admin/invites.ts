import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { RelaySigner } from '../protocol/relay-signer.ts';

const PURPOSE = 'wok invite 1';
const HEAD_BYTES = 14;
const SEAL_BYTES = 12;

/** What an invite code says: nobody but the relay can make one, so none has to be stored. */
export interface Invite {
  /** 16 hex characters, under which its uses are counted. */
  nonce: string;
  /** How many people may come by it, 1 … 65,535. */
  uses: number;
  /** Seconds since 1970; 0: never. */
  expiresAt: number;
}

/** An invite code of 35 characters (A-Z, a-z, 0-9, - and _). */
export function makeInvite(signer: RelaySigner, uses: number, expiresAt: number): string {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(expiresAt, 0);
  head.writeUInt16BE(uses, 4);
  randomBytes(8).copy(head, 6);
  return Buffer.concat([head, sealOf(signer, head)]).toString('base64url');
}

/** What a code says, or null when this relay did not make it. */
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
