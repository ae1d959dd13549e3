// Detection of loopback hosts.

const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|\[::1\])$/i;

/** Returns true for a host name or address of loopback: `localhost`, 127.0.0.0/8, `::1`. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}
