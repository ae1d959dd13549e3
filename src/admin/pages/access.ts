// Permissions of the admin page: the RPC methods that a role may call, from the table of them all.

import type { Config } from '../../config/options.ts';
import type { PageMethod, PageRole } from '../../web/api/api.ts';
import { rpcMethods } from '../rpc-methods.ts';

/** Returns the methods that a role may call, perhaps not with all parameters. */
export function methodsOf(role: PageRole): PageMethod[] {
  return [...rpcMethods].flatMap(([name, { role: lowest }]) =>
    lowest === 'moderator' || lowest === role ? [name as PageMethod] : [],
  );
}

export function isPageMethod(name: string): name is PageMethod {
  return (rpcMethods.get(name)?.role ?? 'local') !== 'local';
}

/** Returns the reason why a role may not make a call, or null. */
export function objection(
  role: PageRole,
  name: PageMethod,
  params: unknown,
  config: Config,
): string | null {
  if (role === 'admin') return null;
  const { role: lowest, method } = rpcMethods.get(name)!;
  if (lowest !== 'moderator') return `${name} is for admins only.`;
  const given = typeof params === 'object' && params !== null ? params : {};
  return method?.restriction?.(given as Readonly<Record<string, unknown>>, config) ?? null;
}
