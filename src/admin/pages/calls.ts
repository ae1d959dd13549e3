// HTTP calls of the admin page, passed on by io. The admin worker owns the sessions.

import { nearest } from '../../lib/nearest.ts';
import { ipFacts } from '../../log/client-ip.ts';
import type { AdminCall } from '../../messages/admin-io.ts';
import { version } from '../../paths.ts';
import { OwnAddresses } from '../../protocol/own-addresses.ts';
import { RpcError } from '../../rpc/method.ts';
import type { PageErrorKind, PageRole, Session } from '../../web/api/api.ts';
import type { AdminContext } from '../context.ts';
import type { Authorization, HttpAuth } from '../http-auth.ts';
import { infoChanges } from '../info.ts';
import { runRpcMethod } from '../rpc-methods.ts';
import { isPageMethod, methodsOf, objection } from './access.ts';
import { setCookie, tokenIn } from './cookie.ts';
import { FailedLogins } from './failed-logins.ts';
import { isEncrypted, isOwn, loginUrls } from './origin.ts';
import { type LoggedIn, Sessions } from './sessions.ts';

/** HTTP status line, headers in addition to those of every call, and body. */
interface CallAnswer {
  status: string;
  headers: [string, string][];
  body: string;
}

const STATUS: Readonly<Record<PageErrorKind, string>> = {
  under_way: '202 Accepted',
  usage: '400 Bad Request',
  unauthenticated: '401 Unauthorized',
  forbidden: '403 Forbidden',
  unknown: '404 Not Found',
  method: '405 Method Not Allowed',
  refused: '409 Conflict',
  too_large: '413 Content Too Large',
  media_type: '415 Unsupported Media Type',
  too_many: '429 Too Many Requests',
  fault: '500 Internal Server Error',
  unavailable: '503 Service Unavailable',
};

/** Longest wait for a call, and the share of io's timeout that is used for it. */
const LONGEST_SECONDS = 5;
const SHARE_OF_PATIENCE = 0.7;

/** Failure that ends a call. */
class CallError extends Error {
  override name = 'CallError';
  readonly kind: PageErrorKind;
  readonly headers: [string, string][];

  constructor(kind: PageErrorKind, message: string, headers: [string, string][] = []) {
    super(message);
    this.kind = kind;
    this.headers = headers;
  }
}

/** Session with its present role. */
interface Known extends LoggedIn {
  readonly role: PageRole;
}

/**
 * Calls of the admin page (`web/api/api.ts`): login, logout and RPC methods. The role of a key is
 * checked again with every call.
 */
export class Calls {
  readonly #context: AdminContext;
  readonly #auth: HttpAuth;
  readonly #sessions = new Sessions();
  readonly #failed = new FailedLogins();

  constructor(context: AdminContext, auth: HttpAuth) {
    this.#context = context;
    this.#auth = auth;
  }

  /** Answers a call; never throws. */
  async answer(call: AdminCall): Promise<CallAnswer> {
    try {
      this.#demandOwnPage(call);
      if (call.call === 'login') return await this.#login(call);
      const json = bodyOf(call);
      return call.call === 'logout' ? this.#logout(call) : done(await this.#run(call, json));
    } catch (error) {
      return this.#failure(error as Error);
    }
  }

  #demandOwnPage(call: AdminCall): void {
    if (call.contentType.split(';')[0]!.trim().toLowerCase() !== 'application/json') {
      throw new CallError('media_type', 'Send JSON with the Content-Type application/json.');
    }
    if (!isOwn(call, this.#context.config)) {
      throw new CallError(
        'forbidden',
        'Only requests from the own origin of this page are accepted. If this is that page: set identity.urls to the address of the relay, or have the proxy pass on the Host header.',
      );
    }
  }

  async #login(call: AdminCall): Promise<CallAnswer> {
    const { clock, config } = this.#context;
    const now = clock.seconds();
    const { pubkey } = this.#authorize(call, now);
    const role = this.#roleOf(pubkey)!;
    await this.#note(pubkey, role, now);
    this.#sessions.end(this.#tokenOf(call));
    const token = this.#sessions.begin(pubkey, config, now);
    const seconds = config.admin.session_seconds;
    const cookie = setCookie(token, seconds, call.host, isEncrypted(call));
    return done(this.#session({ pubkey, startedAt: now, usedAt: now, role }, call), [cookie]);
  }

  /** Checks and spends the authorization of a login. @throws CallError */
  #authorize(call: AdminCall, now: number): Authorization {
    const { authorization, body } = call;
    const { config } = this.#context;
    const urls = loginUrls(call, config);
    const own = new OwnAddresses(config);
    const known = (pubkey: string) => this.#roleOf(pubkey) !== null;
    const authorized = this.#auth.check({ authorization, urls, own, body, now }, known);
    if (typeof authorized === 'string') throw this.#failedLogin(call, authorized, now);
    const notSpent = this.#auth.spend(authorized, now);
    if (notSpent === null) return authorized;
    const { why, retrySeconds } = notSpent;
    if (retrySeconds > 0) throw tooMany(`Login failed: ${why}.`, retrySeconds);
    throw this.#failedLogin(call, why, now);
  }

  #failedLogin({ ip }: AdminCall, why: string, now: number): CallError {
    const { config, log } = this.#context;
    const wait = this.#failed.count(ip, now);
    if (wait > 0) {
      const message = `Too many logins have failed from this address; try again in ${wait} seconds.`;
      return tooMany(message, wait);
    }
    log.info('a login to /admin failed', { why, ...ipFacts(config.log, ip) });
    return new CallError('unauthenticated', `Login failed: ${why}.`);
  }

  /** Writes a login to the audit log. A failure is ignored: an admin is needed just then. */
  async #note(pubkey: string, role: PageRole, at: number): Promise<void> {
    const { log } = this.#context;
    try {
      await this.#context.change([
        { t: 'audit', at, by: pubkey, action: 'log in', subject: '', reason: role },
      ]);
    } catch (error) {
      log.warn('a login could not be written to the audit log', { error: String(error) });
    }
    log.info('a key logged in to /admin', { role });
  }

  #logout(call: AdminCall): CallAnswer {
    this.#sessions.end(this.#tokenOf(call));
    return done(true, [setCookie('', 0, call.host, isEncrypted(call))]);
  }

  async #run(call: AdminCall, request: Readonly<Record<string, unknown>>): Promise<unknown> {
    const known = this.#known(call);
    const { method, params = {} } = request;
    if (typeof method !== 'string')
      throw new CallError('usage', 'A request must have a method in "method", a string.');
    if (!isPageMethod(method)) {
      const meant = nearest(method, methodsOf(known.role));
      const advice = meant === undefined ? '' : ` Did you mean "${meant}"?`;
      throw new CallError('unknown', `There is no method "${method.slice(0, 100)}".${advice}`);
    }
    const objected = objection(known.role, method, params, this.#context.config);
    if (objected !== null) throw new CallError('forbidden', objected);
    if (method === 'session') return this.#session(known, call);
    const { pubkey, role } = known;
    const caller = { by: pubkey, role };
    return (
      (await this.#inTime(method, runRpcMethod(method, params, this.#context, caller))) ?? null
    );
  }

  /**
   * Waits for a result for 70 % of the time after which io closes an unanswered connection, taken
   * as 5 seconds at most. @throws CallError `under_way` if it takes longer; the work goes on.
   */
  async #inTime(method: string, work: Promise<unknown>): Promise<unknown> {
    const { config, log } = this.#context;
    const seconds = config.io.handshake_seconds || LONGEST_SECONDS;
    const milliseconds = Math.min(seconds, LONGEST_SECONDS) * 1000 * SHARE_OF_PATIENCE;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        work.catch((error) =>
          log.warn('a request of /admin failed after its time limit', {
            method,
            error: String(error),
          }),
        );
        reject(
          new CallError(
            'under_way',
            'This takes longer than expected and continues; the audit log will show the result.',
          ),
        );
      }, milliseconds);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Returns the session of a call. @throws CallError if there is none or its key has no role. */
  #known(call: AdminCall): Known {
    const token = this.#tokenOf(call);
    const { clock, config } = this.#context;
    const session = token === '' ? null : this.#sessions.find(token, config, clock.seconds());
    if (session === null) throw new CallError('unauthenticated', 'Log in first.');
    const role = this.#roleOf(session.pubkey);
    if (role === null) {
      this.#sessions.end(token);
      throw new CallError(
        'unauthenticated',
        'This key is no longer an admin or moderator of this relay.',
      );
    }
    return { ...session, role };
  }

  #tokenOf(call: AdminCall): string {
    return tokenIn(call.cookie, call.host, isEncrypted(call));
  }

  #roleOf(pubkey: string): PageRole | null {
    if (this.#context.isAdmin(pubkey)) return 'admin';
    return this.#context.isModerator(pubkey) ? 'moderator' : null;
  }

  #session({ pubkey, role, startedAt }: Known, call: AdminCall): Session {
    const { config, db } = this.#context;
    const { admin } = config;
    const { name = config.info.name } = infoChanges(db);
    return {
      pubkey,
      role,
      endsAt: startedAt + admin.session_seconds,
      idleSeconds: admin.session_idle_seconds,
      methods: methodsOf(role),
      encrypted: isEncrypted(call),
      relay: { name, version },
    };
  }

  #failure(error: Error): CallAnswer {
    if (error instanceof CallError) return failed(error.kind, error.message, error.headers);
    if (error instanceof RpcError) return failed(error.code, error.message);
    this.#context.log.error('a request of /admin failed', { error: String(error.stack) });
    return failed('fault', 'Internal error of the relay; see its log.');
  }
}

/** Parses the body. @throws CallError if it is not a JSON object. */
function bodyOf({ body }: AdminCall): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Reported below.
  }
  throw new CallError('usage', 'The body must be a JSON object.');
}

function tooMany(message: string, retrySeconds: number): CallError {
  return new CallError('too_many', message, [['Retry-After', String(retrySeconds)]]);
}

function done(result: unknown, headers: [string, string][] = []): CallAnswer {
  return { status: '200 OK', headers, body: JSON.stringify({ result }) };
}

function failed(
  kind: PageErrorKind,
  message: string,
  headers: [string, string][] = [],
): CallAnswer {
  return { status: STATUS[kind], headers, body: JSON.stringify({ error: { kind, message } }) };
}
