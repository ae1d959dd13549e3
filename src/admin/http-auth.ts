import { createHash } from 'node:crypto';
import { hashesTo } from '../protocol/canonical.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { checkEventShape } from '../protocol/event-check.ts';
import { authorizationText } from '../protocol/http-authorization.ts';
import { KIND_HTTP_AUTH } from '../protocol/kinds.ts';
import type { OwnAddresses } from '../protocol/own-addresses.ts';
import type { SignatureBackend } from '../protocol/signature/signature.ts';

/** Spent authorizations that are remembered at once. */
const REMEMBERED_MAX = 10_000;

/** One request as far as its authorization goes. */
export interface Authorized {
  /** The value of the header. */
  authorization: string;
  /** The addresses that `u` may be, in their one form (`urlKey`). */
  urls: readonly string[];
  /** The hosts that the relay goes by: why `u` is refused depends on them. */
  own: OwnAddresses;
  body: Uint8Array;
  /** Seconds since 1970. */
  now: number;
}

/** An authorization that was good when it was checked. */
export interface Authorization {
  readonly pubkey: string;
  readonly id: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
}

/** Why an authorization cannot be spent. */
export interface NotSpent {
  readonly why: string;
  /** When there is room again; 0 if a new authorization will do at once. */
  readonly retrySeconds: number;
}

/** What the check is told once. */
export interface HttpAuthParts {
  signature: SignatureBackend;
  windowSeconds(): number;
  /** Authorizations from before are refused: who remembered them is gone. */
  notBefore: number;
}

/**
 * Checks the authorization of management requests (NIP-98, with the payload that NIP-86 asks for). One
 * that is good may be used again for its body until its time is over, unless it is spent. Bound: 10,000
 * spent authorizations whose time is not over.
 */
export class HttpAuth {
  readonly #parts: HttpAuthParts;
  /** Ids of authorizations that were spent, with their times. */
  readonly #spent = new Map<string, number>();
  /** The latest time of those that were forgotten: a window that grows does not bring them back. */
  #forgotten = 0;

  constructor(parts: HttpAuthParts) {
    this.#parts = parts;
  }

  /** The authorization, or why it is not believed. `isKnown` says whose signature is worth checking. */
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
   * Spends an authorization for what changes something, such as a login; null when that is done, and
   * from then on it cannot be spent again.
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
      // The host may be right, and the port or the path wrong.
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
 * The address of a relay without what may differ between client and server: `wss://Relay.Example:443/`
 * and `https://relay.example` are the same. Null for what is no address.
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
    return typeof event === 'string' ? `the authorization is no event: ${event}` : event;
  } catch {
    return 'the authorization is not base64 of JSON';
  }
}

function tagOf({ tags }: NostrEvent, name: string): string | undefined {
  return tags.find(([first]) => first === name)?.[1];
}
