// Relay management API (NIP-86) over HTTP; io passes on the requests.

import { nearest } from '../lib/nearest.ts';
import type { ManagementRequest } from '../messages/admin-io.ts';
import { OwnAddresses } from '../protocol/own-addresses.ts';
import { RpcError } from '../rpc/method.ts';
import type { AdminContext } from './context.ts';
import type { HttpAuth } from './http-auth.ts';
import { urlKey } from './http-auth.ts';
import { nip86Methods } from './nip86-methods.ts';

/** HTTP status line and body of an answer. */
interface ManagementAnswer {
  status: string;
  body: string;
}

/** Answers one request of the relay management API (NIP-86). */
export async function answerManagement(
  request: ManagementRequest,
  context: AdminContext,
  auth: HttpAuth,
): Promise<ManagementAnswer> {
  const { authorization, body } = request;
  const own = new OwnAddresses(context.config);
  const urls = urlsOf(request, context, own);
  const now = context.clock.seconds();
  const known = (pubkey: string) => context.isAdmin(pubkey) || context.isModerator(pubkey);
  const authorized = auth.check({ authorization, urls, own, body, now }, known);
  if (typeof authorized === 'string') return failed(UNAUTHORIZED, authorized);
  const { pubkey } = authorized;
  const caller = { by: pubkey, role: context.isAdmin(pubkey) ? 'admin' : 'moderator' } as const;
  const call = callIn(body);
  if (typeof call === 'string') return failed('400 Bad Request', call);
  const methods = Object.entries(nip86Methods);
  const allowed = new Map(
    methods.filter(([, { role }]) => [caller.role, 'moderator'].includes(role)),
  );
  const method = allowed.get(call.method);
  if (method === undefined) return unknown(call.method, [...allowed.keys()]);
  const notSpent = method.writes ? auth.spend(authorized, now) : null;
  if (notSpent) return failed(notSpent.retrySeconds > 0 ? TOO_MANY : UNAUTHORIZED, notSpent.why);
  try {
    const answer = await method.run(call.params, context, caller, [...allowed.keys()]);
    return { status: '200 OK', body: JSON.stringify({ result: method.writes ? true : answer }) };
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof RpcError) return failed(STATUS[error.code], message);
    context.log.error('a management request failed', { method: call.method, error: String(error) });
    return failed('500 Internal Server Error', 'internal error of the relay; see its log');
  }
}

const UNAUTHORIZED = '401 Unauthorized';
const TOO_MANY = '429 Too Many Requests';
const STATUS = {
  usage: '400 Bad Request',
  refused: '409 Conflict',
  unavailable: '503 Service Unavailable',
} as const;

/** Returns the configured addresses, or else the one that the client used, if it is the relay's. */
function urlsOf(
  { host, url }: ManagementRequest,
  { config }: AdminContext,
  own: OwnAddresses,
): string[] {
  const used = own.has(host) ? [`http://${host}${url}`] : [];
  const addresses = own.isConfigured ? config.identity.urls : used;
  return addresses.map(urlKey).filter((key) => key !== null);
}

function callIn(body: Uint8Array): { method: string; params: unknown[] } | string {
  try {
    const call = JSON.parse(Buffer.from(body).toString()) as { method?: unknown; params?: unknown };
    if (typeof call?.method !== 'string') return 'the request needs a method, a string';
    const params = call.params ?? [];
    return Array.isArray(params) ? { method: call.method, params } : 'params must be an array';
  } catch {
    return 'the request must be JSON';
  }
}

function unknown(name: string, allowed: readonly string[]): ManagementAnswer {
  if (Object.hasOwn(nip86Methods, name))
    return failed('403 Forbidden', `${name} is for admins only`);
  const meant = nearest(name, allowed);
  const advice = meant === undefined ? '' : `; did you mean ${meant}?`;
  return failed('400 Bad Request', `method not found: ${name}${advice}`);
}

function failed(status: string, error: string): ManagementAnswer {
  return { status, body: JSON.stringify({ error }) };
}
