// Permissions of the admin page: the RPC methods that a role may call, from the table of them all.

import type { Config } from '../../config/options.ts';
import type { PageRole, PageVerb } from '../../web/api/api.ts';
import { rpcMethods } from '../rpc-methods.ts';

/** Returns the methods that a role may call, perhaps not with all parameters. */
export function verbsOf(role: PageRole): PageVerb[] {
  return [...rpcMethods].flatMap(([name, { role: lowest }]) =>
    lowest === 'moderator' || lowest === role ? [name as PageVerb] : [],
  );
}

export function isPageVerb(name: string): name is PageVerb {
  return (rpcMethods.get(name)?.role ?? 'local') !== 'local';
}

/** Returns the reason why a role may not make a call, or null. */
export function objection(
  role: PageRole,
  verb: PageVerb,
  params: unknown,
  config: Config,
): string | null {
  if (role === 'admin') return null;
  const { role: lowest, method } = rpcMethods.get(verb)!;
  if (lowest !== 'moderator') return `${verb} is for admins only.`;
  const given = typeof params === 'object' && params !== null ? params : {};
  return method?.restriction?.(given as Readonly<Record<string, unknown>>, config) ?? null;
}
