// Address of the relay under test, and the check that it may be loaded.

import { UsageError } from '../../src/cli/command.ts';

/** Address of a relay, as plain data that can be sent to threads. */
export interface Target {
  /** URL as it was given. */
  readonly url: string;
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/**
 * Parses the URL of a relay.
 *
 * @throws UsageError unless the URL starts with ws:// or wss:// and names a host.
 */
export function parseTarget(url: string): Target {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new UsageError(`"${url}" is not a URL. The URL of a relay starts with ws:// or wss://.`);
  }
  const tls = parsed.protocol === 'wss:';
  if (!tls && parsed.protocol !== 'ws:') {
    throw new UsageError(`"${url}" does not start with ws:// or wss://.`);
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  if (host === '') throw new UsageError(`"${url}" names no host.`);
  const port = parsed.port === '' ? (tls ? 443 : 80) : Number(parsed.port);
  return { url, tls, host, port, path: parsed.pathname + parsed.search };
}

/** Returns the URL of the relay information document (NIP-11). */
export function httpUrl({ url }: Target): string {
  return url.replace(/^ws/, 'http');
}

/** Returns true if a host can only be this machine. */
export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    /^127(\.\d{1,3}){3}$/.test(host) ||
    /^::ffff:127(\.\d{1,3}){3}$/.test(host)
  );
}

/**
 * Checks that a relay may be loaded: a load test is an attack if the other side has not agreed.
 *
 * @throws UsageError for a host that is not this machine, unless the user says that it may be
 * loaded.
 */
export function assertMayLoad({ host }: Target, mayLoad: boolean): void {
  if (mayLoad || isLoopback(host)) return;
  throw new UsageError(
    `${host} is not this machine. Benchmark it only if it is yours or its operator agreed; ` +
      'then add --i-may-load-this-host.',
  );
}
