// HTTP look-up of NIP-05 addresses, protected from requests to private networks.

import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

const BODY_BYTES_MAX = 256 * 1024;

interface LookUpOptions {
  timeoutSeconds: number;
  /** True to allow private addresses; those given as localhost or IP are asked by http. */
  privateNetworks: boolean;
}

/** Splits `local@domain`, in lower case; undefined if it is no address. */
export function parseAddress(address: string): { local: string; domain: string } | undefined {
  const found = /^(?:([a-z0-9._-]+)@)?((?:[a-z0-9-]+\.)*[a-z0-9-]+(?::\d{1,5})?)$/i.exec(address);
  if (found === null) return undefined;
  return { local: (found[1] ?? '_').toLowerCase(), domain: found[2]!.toLowerCase() };
}

/** Returns true if a domain is one of these or a subdomain of one. */
export function isInDomains(domain: string, domains: readonly string[]): boolean {
  const host = domain.replace(/:\d+$/, '');
  return domains.some(
    (one) => host === one.toLowerCase() || host.endsWith(`.${one.toLowerCase()}`),
  );
}

/**
 * Returns the public key that an address names (NIP-05).
 *
 * Follows no redirect, as NIP-05 wants; bounds answers in time and size; never asks a private
 * address, whatever the name server answers, unless `privateNetworks` is set.
 *
 * @throws Error with the reason, which the author of the address may see.
 */
export async function lookUp(address: string, options: LookUpOptions): Promise<string> {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error('it does not have the form name@domain');
  const { local, domain } = parsed;
  const secure = !(options.privateNetworks && isLocal(domain));
  const url = `${secure ? 'https' : 'http'}://${domain}/.well-known/nostr.json?name=${encodeURIComponent(local)}`;
  const body = await get(url, secure, options);
  let names: unknown;
  try {
    names = (JSON.parse(body) as { names?: unknown }).names;
  } catch {
    throw new Error(`${domain} did not answer with JSON`);
  }
  const found =
    typeof names === 'object' && names !== null && Object.hasOwn(names, local)
      ? (names as Record<string, unknown>)[local]
      : undefined;
  if (typeof found !== 'string') throw new Error(`${domain} has no name ${local}`);
  return found;
}

function get(url: string, secure: boolean, options: LookUpOptions): Promise<string> {
  const { hostname } = new URL(url);
  const literal = hostname.replace(/^\[|\]$/g, '');
  if (ipaddr.isValid(literal) && !options.privateNetworks && !isPublic(literal)) {
    return Promise.reject(new Error('its domain is in a private network'));
  }
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(options.timeoutSeconds * 1000);
    const request = (secure ? httpsRequest : httpRequest)(
      url,
      {
        signal,
        agent: false,
        headers: { Accept: 'application/json' },
        lookup: options.privateNetworks ? undefined : publicLookup,
      },
      (answer) => {
        const { statusCode } = answer;
        if (statusCode !== 200) {
          request.destroy(new Error(`${hostname} answered with status ${statusCode}`));
          return;
        }
        let bytes = 0;
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > BODY_BYTES_MAX) request.destroy(new Error(`${hostname} answered too much`));
          else chunks.push(chunk);
        });
        answer.on('end', () => resolve(Buffer.concat(chunks).toString()));
        answer.on('error', reject);
      },
    );
    request.on('error', (error) =>
      reject(signal.aborted ? new Error(`${hostname} did not answer in time`) : error),
    );
    request.end();
  });
}

/** Resolves names to public addresses only; the connection uses the checked address. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) {
      callback(error, '', 0);
      return;
    }
    const usable = (addresses as LookupAddress[]).filter(({ address }) => isPublic(address));
    const [first] = usable;
    if (first === undefined) callback(new Error('its domain is in a private network'), '', 0);
    else if (options.all) callback(null, usable);
    else callback(null, first.address, first.family);
  });
};

function isPublic(address: string): boolean {
  return ipaddr.process(address).range() === 'unicast';
}

function isLocal(domain: string): boolean {
  const host = domain.replace(/:\d+$/, '');
  return host === 'localhost' || (ipaddr.isValid(host) && !isPublic(host));
}
