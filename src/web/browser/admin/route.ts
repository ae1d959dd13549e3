// Routes of the page /admin, in the fragment of its address.

/** Route to a view: `#/event/ab12?x=y` is the view `event`, its subject `ab12` and its query. */
export interface Route {
  readonly name: string;
  readonly subject: string;
  readonly query: URLSearchParams;
}

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [name = '', ...rest] = path.split('/');
  return { name, subject: decoded(rest.join('/')), query: new URLSearchParams(query) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
