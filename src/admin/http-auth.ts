// HTTP authorization by signed events (NIP-98) for the management API and the login of the admin
// page. The admin worker owns the list of spent authorizations.

import { createHash } from 'node:crypto';
import { hashesTo } from '../protocol/canonical.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { checkEventShape } from '../protocol/event-check.ts';
import { authorizationText } from '../protocol/http-authorization.ts';
import { KIND_HTTP_AUTH } from '../protocol/kinds.ts';
import type { OwnAddresses } from '../protocol/own-addresses.ts';
import type { SignatureBackend } from '../protocol/signature/backend.ts';

/** Maximum number of spent authorizations that are remembered. */
const REMEMBERED_MAX = 10_000;

/** Parts of one request that its authorization is checked against. */
interface Authorized {
  /** Value of the Authorization header. */
  authorization: string;
  /** Addresses that the `u` tag may name, normalized by `urlKey`. */
  urls: readonly string[];
  /** Hosts of the relay; the reason for refusing `u` depends on them. */
  own: OwnAddresses;
  body: Uint8Array;
  /** Time of the check, in seconds since 1970. */
  now: number;
}

/** Authorization that was valid when it was checked. */
export interface Authorization {
  readonly pubkey: string;
  readonly id: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
}

/** Reason why an authorization cannot be spent. */
interface NotSpent {
  readonly why: string;
  /** Seconds until the next authorization can be spent; 0 if a new one will do at once. */
  readonly retrySeconds: number;
}

/** Dependencies of `HttpAuth`. */
interface HttpAuthParts {
  signature: SignatureBackend;
  windowSeconds(): number;
  /** Seconds since 1970; older authorizations are refused, as the list of spent ones was lost. */
  notBefore: number;
}

/**
 * Checks the authorization of management requests (NIP-98, with the payload that NIP-86 asks for).
 * A valid authorization may be used again for the same body until it expires, unless it is spent.
 * Bound: 10,000 spent authorizations that have not expired.
 */
export class HttpAuth {
  readonly #parts: HttpAuthParts;
  /** Times (`created_at`) of spent authorizations by id. */
  readonly #spent = new Map<string, number>();
  /** Latest forgotten time: a window that grows does not make forgotten ids usable again. */
  #forgotten = 0;

  constructor(parts: HttpAuthParts) {
    this.#parts = parts;
  }

  /**
   * Returns the authorization, or the reason why it is not valid. `isKnown` is true for keys that
   * may manage the relay; signatures of other keys are not verified.
   */
  check(request: Authorized, isKnown: (pubkey: string) => boolean): Authorization | string {
    const event = eventIn(request.authorization);
    if (typeof event === 'string') return event;
    const wrong = this.#wrong(event, request);
    if (wrong !== null) return wrong;
    if (!isKnown(event.pubkey)) return 'this key may not manage the relay';
    if (!hashesTo(event)) return 'the id of the authorization is wrong';
    const { signature } = this.#parts;
    const [sig, id, pubkey] = [event.sig, event.id, event.pubkey].map((text) =>
      Buffer.from(text, 'hex'),
    );
    if (!signature.verify(sig!, id!, pubkey!)) return 'the signature of the authorization is wrong';
    return { pubkey: event.pubkey, id: event.id, createdAt: event.created_at };
  }

  /**
   * Spends an authorization for a request that changes something, such as a login. Returns null
   * when it is spent; from then on it cannot be spent again.
   */
  spend({ id, createdAt }: Authorization, now: number): NotSpent | null {
    if (this.#spent.has(id)) {
      return { why: 'the authorization was used before; sign a new one', retrySeconds: 0 };
    }
    const window = this.#parts.windowSeconds();
    let oldest = Number.POSITIVE_INFINITY;
    for (const [one, time] of this.#spent) {
      if (time + window < now) {
        this.#spent.delete(one);
        this.#forgotten = Math.max(this.#forgotten, time);
      } else oldest = Math.min(oldest, time);
    }
    if (createdAt <= this.#forgotten) {
      return { why: 'the authorization is too old; sign a new one', retrySeconds: 0 };
    }
    if (this.#spent.size >= REMEMBERED_MAX) {
      const retrySeconds = oldest + window + 1 - now;
      return { why: `too many requests; try again in ${retrySeconds} seconds`, retrySeconds };
    }
    this.#spent.set(id, createdAt);
    return null;
  }

  #wrong(event: NostrEvent, { urls, own, body, now }: Authorized): string | null {
    const window = this.#parts.windowSeconds();
    if (event.kind !== KIND_HTTP_AUTH) return `the kind of an authorization is ${KIND_HTTP_AUTH}`;
    if (Math.abs(event.created_at - now) > window) {
      return `the time of the authorization is more than ${window} seconds from this clock`;
    }
    if (event.created_at < this.#parts.notBefore) {
      return 'the authorization is from before the start of the relay; sign a new one';
    }
    const method = tagOf(event, 'method');
    if (method === undefined) return 'the method tag is missing; it must be POST';
    if (method.toUpperCase() !== 'POST') return 'the method tag must be POST';
    const address = tagOf(event, 'u');
    if (address === undefined) return 'the u tag is missing; it must be the address of this relay';
    const url = urlKey(address);
    if (url === null || !urls.includes(url)) {
      // The host may be right, and only the port or the path wrong.
      return `the u tag ${own.has(address) ? 'is not the address of this request' : own.unlike}`;
    }
    const payload = tagOf(event, 'payload');
    if (payload === undefined) {
      return 'the payload tag is missing; it must be the SHA-256 of the body in hex';
    }
    const hash = createHash('sha256').update(body).digest('hex');
    return payload.toLowerCase() === hash ? null : 'the payload tag is not the SHA-256 of the body';
  }
}

/**
 * Returns the address of a relay without the parts that may differ between client and server:
 * `wss://Relay.Example:443/` and `https://relay.example` give the same key. Null if `text` is no
 * address.
 */
export function urlKey(text: string): string | null {
  const spelled = text.replace(/^ws(s?):/i, 'http$1:');
  if (!URL.canParse(spelled) || !/^https?:/i.test(spelled)) return null;
  const { host, pathname, search } = new URL(spelled);
  return `${host.replace(/:(80|443)$/, '')}${pathname.replace(/\/$/, '')}${search}`;
}

function eventIn(header: string): NostrEvent | string {
  const text = authorizationText(header);
  if (text === null) return 'an Authorization header with the scheme Nostr is needed (NIP-98)';
  try {
    const event = checkEventShape(JSON.parse(text));
    return typeof event === 'string' ? `the authorization is not a valid event: ${event}` : event;
  } catch {
    return 'the authorization is not base64 of JSON';
  }
}

function tagOf({ tags }: NostrEvent, name: string): string | undefined {
  return tags.find(([first]) => first === name)?.[1];
}
