/**
 * The cookie of a session. By https its name begins with `__Secure-`, so that nobody who sits on the way
 * can set it by http; it never leaves for another site (SameSite) and no script can read it (HttpOnly).
 * The port is part of the name, because two relays of one machine share its cookies.
 */
function nameOf(host: string, encrypted: boolean): string {
  const port = /:(\d+)$/.exec(host)?.[1];
  return `${encrypted ? '__Secure-' : ''}wok-admin${port === undefined ? '' : `-${port}`}`;
}

/** The header that sets the cookie for so many seconds; with an empty token one that takes it away. */
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

/** The token in a Cookie header, or ''. */
export function tokenIn(cookie: string, host: string, encrypted: boolean): string {
  const name = nameOf(host, encrypted);
  for (const pair of cookie.split(';')) {
    const equals = pair.indexOf('=');
    if (pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return '';
}
