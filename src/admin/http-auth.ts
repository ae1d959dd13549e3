import { createHash } from 'node:crypto';
import { hashesTo } from '../protocol/canonical.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { checkEventShape } from '../protocol/event-check.ts';
import { KIND_HTTP_AUTH } from '../protocol/kinds.ts';
import type { SignatureBackend } from '../protocol/signature/signature.ts';

/** Authorizations that are remembered at once, so that none is good for two requests. */
const REMEMBERED_MAX = 10_000;

/** One request as far as its authorization goes. */
export interface Authorized {
  /** The value of the header. */
  authorization: string;
  /** The addresses that `u` may be, in their one form (`urlKey`). */
  urls: readonly string[];
  body: Uint8Array;
  /** Seconds since 1970. */
  now: number;
}

/** What the check is told once. */
export interface HttpAuthParts {
  signature: SignatureBackend;
  windowSeconds(): number;
  /** Authorizations from before are refused: who remembered them is gone. */
  notBefore: number;
}

/** Checks the authorization of management requests (NIP-98, with the payload that NIP-86 asks for). */
export class HttpAuth {
  readonly #parts: HttpAuthParts;
  /** Ids of authorizations that were good, and until when they would be. */
  readonly #used = new Map<string, number>();

  constructor(parts: HttpAuthParts) {
    this.#parts = parts;
  }

  /** The public key that asks, or why it is not believed. `isKnown` says whose signature is worth checking. */
  check(request: Authorized, isKnown: (pubkey: string) => boolean): { pubkey: string } | string {
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
    return this.#remember(event, request.now) ?? { pubkey: event.pubkey };
  }

  #wrong(event: NostrEvent, { urls, body, now }: Authorized): string | null {
    const window = this.#parts.windowSeconds();
    if (event.kind !== KIND_HTTP_AUTH) return `the kind of an authorization is ${KIND_HTTP_AUTH}`;
    if (Math.abs(event.created_at - now) > window) {
      return `the time of the authorization is more than ${window} seconds from this clock`;
    }
    if (event.created_at < this.#parts.notBefore) {
      return 'the authorization is from before the start of the relay; sign a new one';
    }
    if (tagOf(event, 'method')?.toUpperCase() !== 'POST') return 'the method tag must be POST';
    const url = urlKey(tagOf(event, 'u') ?? '');
    if (url === null || !urls.includes(url)) return 'the u tag is not the address of this relay';
    const hash = createHash('sha256').update(body).digest('hex');
    if (tagOf(event, 'payload')?.toLowerCase() !== hash) {
      return 'the payload tag is not the SHA-256 of the body';
    }
    return null;
  }

  #remember({ id, created_at: createdAt }: NostrEvent, now: number): string | null {
    if (this.#used.has(id)) return 'the authorization was used before';
    for (const [one, until] of this.#used) if (until < now) this.#used.delete(one);
    if (this.#used.size >= REMEMBERED_MAX) return 'too many requests; try again in a minute';
    this.#used.set(id, createdAt + this.#parts.windowSeconds());
    return null;
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
  const [, encoded] = /^Nostr\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(header) ?? [];
  if (encoded === undefined)
    return 'an Authorization header with the scheme Nostr is needed (NIP-98)';
  try {
    const event = checkEventShape(JSON.parse(Buffer.from(encoded, 'base64').toString()));
    return typeof event === 'string' ? `the authorization is no event: ${event}` : event;
  } catch {
    return 'the authorization is not base64 of JSON';
  }
}

function tagOf({ tags }: NostrEvent, name: string): string | undefined {
  return tags.find(([first]) => first === name)?.[1];
}
