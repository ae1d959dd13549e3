// Client of the relay's API for the page /admin: login, logout and RPC methods over HTTP.

import type { PageAnswer, PageErrorKind, PageMethod, PageMethods, Session } from '../../api/api.ts';

/** Timeout of a request; the relay itself gives up after 20 seconds. */
const PATIENCE_MILLISECONDS = 25_000;

/** Kind of a fault; `unreachable`: no answer, or one that is not from the relay. */
type FaultKind = PageErrorKind | 'unreachable';

/** Failure of a request, with a message for the user of the page. */
export class PageFault extends Error {
  override name = 'PageFault';
  readonly kind: FaultKind;
  /** Seconds of the `Retry-After` header, or 0. */
  readonly waitSeconds: number;
  /** Lead of the relay's clock over this one, in seconds; null if unknown. */
  readonly ahead: number | null;

  constructor(kind: FaultKind, message: string, waitSeconds = 0, ahead: number | null = null) {
    super(message);
    this.kind = kind;
    this.waitSeconds = waitSeconds;
    this.ahead = ahead;
  }
}

/** Message of a thrown value of any type. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Calls an RPC method of the relay. @throws PageFault, or an AbortError once `left` aborts. */
export type Call = <Method extends PageMethod>(
  method: Method,
  params: PageMethods[Method]['params'],
  left?: AbortSignal,
) => Promise<PageMethods[Method]['result']>;

/** Client of the relay's API; the session is in a cookie. */
export class Api {
  /** Called if the relay answers a `call` that the session has ended. */
  ended: (fault: PageFault) => void = () => {};

  readonly call: Call = async (method, params, left) => {
    try {
      return (await post('/admin/api', { method, params }, {}, left)) as never;
    } catch (error) {
      if (error instanceof PageFault && error.kind === 'unauthenticated') this.ended(error);
      throw error;
    }
  };

  /** Session of this browser, or null. Unlike `call` it does not invoke `ended`. */
  async session(): Promise<Session | null> {
    try {
      return (await post('/admin/api', { method: 'session' }, {})) as Session;
    } catch (error) {
      if (error instanceof PageFault && error.kind === 'unauthenticated') return null;
      throw error;
    }
  }

  /** Begins a session with a NIP-98 authorization for the body `{}`. */
  async login(authorization: string): Promise<Session> {
    return (await post('/admin/login', {}, { Authorization: authorization })) as Session;
  }

  async logout(): Promise<void> {
    await post('/admin/logout', {}, {});
  }
}

async function post(
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
  left?: AbortSignal,
): Promise<unknown> {
  const stop = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    stop.abort();
  }, PATIENCE_MILLISECONDS);
  const leave = () => stop.abort();
  left?.addEventListener('abort', leave);
  if (left?.aborted) leave();
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(path, {
      method: 'POST',
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: stop.signal,
    });
    text = await answer.text();
  } catch (error) {
    if (left?.aborted) throw error;
    throw new PageFault(
      'unreachable',
      isLate
        ? 'The relay has not answered for 25 seconds.'
        : 'The relay cannot be reached. It may be stopped, or the network is down.',
    );
  } finally {
    clearTimeout(timer);
    left?.removeEventListener('abort', leave);
  }
  return resultOf(answer, text);
}

function resultOf(answer: Response, text: string): unknown {
  let body: PageAnswer | null = null;
  try {
    body = JSON.parse(text) as PageAnswer;
  } catch {
    // A proxy between browser and relay has answered with a body of its own.
  }
  if (body !== null && 'result' in body && answer.ok) return body.result;
  const wait = Number(answer.headers.get('retry-after')) || 0;
  const date = Date.parse(answer.headers.get('date') ?? '');
  const ahead = Number.isNaN(date) ? null : Math.round((date - Date.now()) / 1000);
  if (body !== null && 'error' in body && typeof body.error?.message === 'string') {
    throw new PageFault(body.error.kind, body.error.message, wait, ahead);
  }
  throw new PageFault(
    'unreachable',
    `The answer was HTTP ${answer.status} and not from the relay; a proxy in front of it may have sent it.`,
    wait,
  );
}
