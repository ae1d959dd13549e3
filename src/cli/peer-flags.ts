// Flags of the commands that connect to another relay, and the connections that they make.

import type { Agent } from 'node:http';
import { resolve } from 'node:path';
import { exitCodes } from '../lib/exit-codes.ts';
import type { ConnectionOptions, RelayConnection } from '../peers/relay-connection.ts';
import type { RelaySigner } from '../protocol/relay-signer.ts';
import { type Call, CommandError, type Flag, UsageError } from './command.ts';

const TIMEOUT_SECONDS = 30;

/** Flags of every command that connects to another relay. */
export const peerFlags: readonly Flag[] = [
  {
    name: '--timeout <seconds>',
    text: `Time in which the other relay has to answer (default ${TIMEOUT_SECONDS})`,
  },
  {
    name: '--proxy <url>',
    text: 'Connect through this SOCKS proxy, like socks5h://127.0.0.1:9050 for Tor',
  },
  {
    name: '--key <file>',
    text: 'Authenticate with the secret key in this file (NIP-42), nsec1… or 64 hex characters',
  },
];

/** Returns the URL of the other relay that a call names. @throws UsageError */
export function peerUrl(text: string): string {
  let url: URL | null = null;
  try {
    url = new URL(text);
  } catch {}
  if (url !== null && (url.protocol === 'ws:' || url.protocol === 'wss:') && url.hash === '')
    return url.href;
  throw new UsageError(
    `"${text}" is no address of a relay; write it like wss://relay.example.com.`,
  );
}

/** Returns the options of the connections to another relay. @throws UsageError */
export async function connectionOptions(
  call: Call,
  signal: AbortSignal,
): Promise<ConnectionOptions> {
  const seconds = call.flags.integer('timeout', 1, 3600) ?? TIMEOUT_SECONDS;
  const [agent, signer] = await Promise.all([agentOf(call), signerOf(call)]);
  return { timeoutMilliseconds: seconds * 1000, agent, signer, signal };
}

/** Connects to another relay. @throws CommandError if that fails. */
export async function connectToPeer(
  url: string,
  options: ConnectionOptions,
): Promise<RelayConnection> {
  const { RelayConnection } = await import('../peers/relay-connection.ts');
  try {
    return await RelayConnection.open(url, options);
  } catch (error) {
    if ((error as Error).name !== 'PeerError') throw error;
    throw new CommandError(
      `${url} cannot be reached: ${(error as Error).message}.`,
      exitCodes.unavailable,
    );
  }
}

/** Returns the error that ends a command after a failure of another relay; others unchanged. */
export function peerFailure(error: unknown, url = ''): unknown {
  const { name, message } = error as Error;
  if (name !== 'PeerError') return error;
  return new CommandError(`${url === '' ? '' : `${url}: `}${message}.`, exitCodes.unavailable);
}

async function agentOf({ flags }: Call): Promise<Agent | undefined> {
  const proxy = flags.last('proxy');
  if (proxy === undefined) return undefined;
  if (!/^socks(?:4a?|5h?)?:\/\/[^/]+\/?$/.test(proxy))
    throw new UsageError('--proxy must be a SOCKS proxy, like socks5h://127.0.0.1:9050.');
  const { proxyAgent } = await import('../peers/credentials.ts');
  return proxyAgent(proxy);
}

async function signerOf({ flags, cwd }: Call): Promise<RelaySigner | null> {
  const name = flags.last('key');
  if (name === undefined) return null;
  const { signerOfFile } = await import('../peers/credentials.ts');
  try {
    return await signerOfFile(resolve(cwd, name));
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.`);
  }
}
