// RPC methods of the admin worker: their type, their callers and their errors. Each subject defines
// its own; the table `admin/rpc-methods.ts` names them all.

import type { z } from 'zod';
import type { Config } from '../config/options.ts';
import type { PageRole } from '../web/api/api.ts';

/** Caller of an RPC method or of a NIP-86 method, for permissions and the audit log. */
export interface Caller {
  /** `shell` for a client of the control socket, or a public key. */
  readonly by: string;
  /** Role of the caller; clients of the control socket are admins. */
  readonly role: PageRole;
}

/**
 * Returns the reason why moderators may not make a call with these unchecked parameters, or null.
 */
export type Restriction = (
  params: Readonly<Record<string, unknown>>,
  config: Config,
) => string | null;

/** RPC method; `Context` has the parts of the admin worker that it needs. */
export interface RpcMethod<Context, Params = unknown> {
  /** Schema of the parameters; `run` receives its output. */
  readonly params: z.ZodType<Params>;
  /** Limit of moderators that depends on the parameters. */
  readonly restriction?: Restriction;
  /** Returns the answer, which has to survive JSON. @throws RpcError for errors of the caller. */
  readonly run: (params: Params, context: Context, caller: Caller) => unknown;
}

/** Returns the method unchanged; infers the types of the parameters and of the context. */
export function rpcMethod<Context, Params>(method: RpcMethod<Context, Params>): RpcMethod<Context> {
  return method as unknown as RpcMethod<Context>;
}

/** Failure of an RPC method or a NIP-86 method: a code for programs and a sentence for people. */
export class RpcError extends Error {
  override name = 'RpcError';
  readonly code: RpcErrorCode;

  constructor(code: RpcErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** `usage`: not understood; `refused`: understood, but not possible; `unavailable`: not now. */
export type RpcErrorCode = 'usage' | 'refused' | 'unavailable';
