// Methods of the relay management API (NIP-86): their type and readers of their parameters. The
// table `admin/nip86-methods.ts` names them all.

import { type Caller, RpcError } from './method.ts';

const REASON_LENGTH_MAX = 1000;

/**
 * NIP-86 method. `own` are the names of all methods that the caller may call. Returns the result.
 * @throws RpcError for errors of the caller.
 */
export type Nip86Method<Context> = (
  params: readonly unknown[],
  context: Context,
  caller: Caller,
  own: readonly string[],
) => unknown;

/** Returns a text. `what` describes it for an error message. @throws RpcError `usage` */
export function textParam(params: readonly unknown[], at: number, what: string): string {
  const value = params[at];
  if (typeof value !== 'string')
    throw new RpcError('usage', `Parameter ${at + 1} must be ${what}, a string.`);
  return value;
}

/** Returns the reason of an action; '' if it is left out. @throws RpcError `usage` */
export function reasonParam(params: readonly unknown[], at: number): string {
  return params[at] == null ? '' : textParam(params, at, 'a reason').slice(0, REASON_LENGTH_MAX);
}

/** Returns an integer, or null if it is left out. @throws RpcError `usage` */
export function integerParam(params: readonly unknown[], at: number): number | null {
  const value = params[at];
  if (value == null || value === '') return null;
  const number = Number(value);
  if (!Number.isInteger(number))
    throw new RpcError('usage', `Parameter ${at + 1} must be an integer.`);
  return number;
}
