// Normalization of relay addresses for comparison.

/**
 * Returns the host of a relay's address, for comparison: lower case, without scheme, port, path and
 * final dot. `text` may be a URL of any scheme or the value of a Host header; '' when it is
 * neither.
 */
export function relayHost(text: string): string {
  return parsed(text)?.hostname.replace(/\.$/, '') ?? '';
}

/**
 * Returns a relay's address for comparison where a host may have several relays: host, port and
 * path. Scheme, case, standard ports and slashes at the end make no difference; '' when the text is
 * no address.
 */
export function relayAddress(text: string): string {
  const url = parsed(text);
  if (url === null) return '';
  const port = url.port === '443' || url.port === '' ? '' : `:${url.port}`;
  return `${relayHost(text)}${port}${url.pathname.replace(/\/+$/, '')}`;
}

function parsed(text: string): URL | null {
  const bare = text.trim().replace(/^[a-z][a-z0-9+.-]*:\/\//i, '');
  // With a scheme for which URL normalizes the host; it drops port 80.
  const address = `ws://${bare}`;
  return bare !== '' && URL.canParse(address) ? new URL(address) : null;
}
