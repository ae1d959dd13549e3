// Means of connections to other relays: the proxy, and the key that authenticates (NIP-42).

import { readFileSync } from 'node:fs';
import type { Agent } from 'node:http';
import { parseSecretKey } from '../protocol/nip19.ts';
import type { RelaySigner } from '../protocol/relay-signer.ts';
import { PeerError } from './peer-error.ts';

/** Returns the agent of a SOCKS proxy, like `socks5h://127.0.0.1:9050`. */
export async function proxyAgent(url: string): Promise<Agent> {
  const { SocksProxyAgent } = await import('socks-proxy-agent');
  return new SocksProxyAgent(url);
}

/** Reads a secret key, as nsec1… or 64 hex characters. @throws PeerError */
export async function signerOfFile(file: string): Promise<RelaySigner> {
  let hex: string | undefined;
  try {
    hex = parseSecretKey(readFileSync(file, 'utf8').trim());
  } catch (error) {
    throw new PeerError(`${file} cannot be read: ${(error as Error).message}`);
  }
  if (hex === undefined)
    throw new PeerError(`${file} must contain one secret key, as nsec1… or 64 hex characters`);
  const { RelaySigner } = await import('../protocol/relay-signer.ts');
  return new RelaySigner(Buffer.from(hex, 'hex'));
}
