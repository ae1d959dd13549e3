import { UsageError } from '../../src/commands/command.ts';

/** Where a relay is. Plain data, so that threads can be told. */
export interface Target {
  /** As it was given. */
  readonly url: string;
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/** @throws UsageError unless the URL starts with ws:// or wss:// and names a host. */
export function parseTarget(url: string): Target {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new UsageError(`"${url}" is no URL. A relay's starts with ws:// or wss://.`);
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

/** The address of the relay information document (NIP-11). */
export function httpUrl({ url }: Target): string {
  return url.replace(/^ws/, 'http');
}

/** Whether a host can only be this machine. */
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
 * A load test is an attack when the other side has not agreed to it.
 *
 * @throws UsageError for a host that is not this machine, unless the user says that it may be loaded.
 */
export function assertMayLoad({ host }: Target, mayLoad: boolean): void {
  if (mayLoad || isLoopback(host)) return;
  throw new UsageError(
    `${host} is not this machine. Load it only if it is yours or its operator agreed; ` +
      'then add --i-may-load-this-host.',
  );
}
