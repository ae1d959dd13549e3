// Relay management API (NIP-86) over HTTP; io passes on the requests.

import { nearest } from '../lib/nearest.ts';
import type { ManagementRequest } from '../messages/admin-io.ts';
import { OwnAddresses } from '../protocol/own-addresses.ts';
import { AdminError, type Room } from './context.ts';
import type { HttpAuth } from './http-auth.ts';
import { urlKey } from './http-auth.ts';
import { type Method, methods } from './methods.ts';

/** HTTP status line and body of an answer. */
interface ManagementAnswer {
  status: string;
  body: string;
}

/** Answers one request of the relay management API (NIP-86). */
export async function answerManagement(
  request: ManagementRequest,
  room: Room,
  auth: HttpAuth,
): Promise<ManagementAnswer> {
  const { authorization, body } = request;
  const own = new OwnAddresses(room.config);
  const urls = urlsOf(request, room, own);
  const now = room.clock.seconds();
  const known = (pubkey: string) => room.isAdmin(pubkey) || room.isModerator(pubkey);
  const authorized = auth.check({ authorization, urls, own, body, now }, known);
  if (typeof authorized === 'string') return failed(UNAUTHORIZED, authorized);
  const { pubkey } = authorized;
  const caller = { by: pubkey, role: room.isAdmin(pubkey) ? 'admin' : 'moderator' } as const;
  const call = callIn(body);
  if (typeof call === 'string') return failed('400 Bad Request', call);
  const allowed = methodsFor(pubkey, room);
  const method = allowed.get(call.method);
  if (method === undefined) return unknown(call.method, allowed);
  const notSpent = method.changes ? auth.spend(authorized, now) : null;
  if (notSpent) return failed(notSpent.retrySeconds > 0 ? TOO_MANY : UNAUTHORIZED, notSpent.why);
  try {
    const result = await method.run(call.params, room, caller, [...allowed.keys()]);
    return { status: '200 OK', body: JSON.stringify({ result }) };
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof AdminError) return failed(STATUS[error.code], message);
    room.log.error('a management request failed', { method: call.method, error: String(error) });
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
function urlsOf({ host, url }: ManagementRequest, { config }: Room, own: OwnAddresses): string[] {
  const used = own.has(host) ? [`http://${host}${url}`] : [];
  const addresses = own.isConfigured ? config.identity.urls : used;
  return addresses.map(urlKey).filter((key) => key !== null);
}

function methodsFor(pubkey: string, room: Room): Map<string, Method> {
  const all = room.isAdmin(pubkey);
  return new Map(Object.entries(methods).filter(([, { moderator }]) => all || moderator));
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

function unknown(name: string, allowed: ReadonlyMap<string, Method>): ManagementAnswer {
  if (Object.hasOwn(methods, name)) return failed('403 Forbidden', `${name} is for admins only`);
  const meant = nearest(name, allowed.keys());
  const advice = meant === undefined ? '' : `; did you mean ${meant}?`;
  return failed('400 Bad Request', `method not found: ${name}${advice}`);
}

function failed(status: string, error: string): ManagementAnswer {
  return { status, body: JSON.stringify({ error }) };
}
