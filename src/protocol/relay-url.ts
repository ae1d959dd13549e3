/**
 * The host of a relay's address, for comparison: lower case, without scheme, port, path and final dot.
 * `text` may be a URL of any scheme or what a Host header has; '' when it is neither.
 */
export function relayHost(text: string): string {
  return parsed(text)?.hostname.replace(/\.$/, '') ?? '';
}

/**
 * A relay's address for comparison where a host may have several relays: host, port and path. Scheme,
 * case, standard ports and slashes at the end make no difference; '' when the text is no address.
 */
export function relayAddress(text: string): string {
  const url = parsed(text);
  if (url === null) return '';
  const port = url.port === '443' || url.port === '' ? '' : `:${url.port}`;
  return `${relayHost(text)}${port}${url.pathname.replace(/\/+$/, '')}`;
}

function parsed(text: string): URL | null {
  const bare = text.trim().replace(/^[a-z][a-z0-9+.-]*:\/\//i, '');
  // As one of the schemes whose hosts URL puts into their normal form; it drops port 80.
  const address = `ws://${bare}`;
  return bare !== '' && URL.canParse(address) ? new URL(address) : null;
}
