// Session cookie of the admin page.

/**
 * Returns the name of the session cookie. By https it begins with `__Secure-`, so that an attacker
 * on the network cannot set it by http. The port is part of it, because two relays of one machine
 * share their cookies. The cookie is not sent with cross-site requests (SameSite) and not shown to
 * scripts (HttpOnly).
 */
function nameOf(host: string, encrypted: boolean): string {
  const port = /:(\d+)$/.exec(host)?.[1];
  return `${encrypted ? '__Secure-' : ''}wok-admin${port === undefined ? '' : `-${port}`}`;
}

/** Returns the header that sets the cookie for `seconds`; an empty token and 0 delete it. */
export function setCookie(
  token: string,
  seconds: number,
  host: string,
  encrypted: boolean,
): [string, string] {
  const attributes = `Path=/admin; Max-Age=${seconds}; HttpOnly; SameSite=Strict`;
  const secure = encrypted ? '; Secure' : '';
  return ['Set-Cookie', `${nameOf(host, encrypted)}=${token}; ${attributes}${secure}`];
}

/** Returns the token in a Cookie header, or ''. */
export function tokenIn(cookie: string, host: string, encrypted: boolean): string {
  const name = nameOf(host, encrypted);
  for (const pair of cookie.split(';')) {
    const equals = pair.indexOf('=');
    if (pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return '';
}
