// Announcement of this relay to clients that look for relays (NIP-66), with facts measured from its
// public address.

import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/options.ts';
import { systemClock } from '../lib/clock.ts';
import type { Log } from '../log/log.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { KIND_RELAY_DISCOVERY } from '../protocol/kinds.ts';
import type { RelaySigner } from '../protocol/relay-signer.ts';
import { relaySecret } from '../store/database/relay-key.ts';
import type { LocalRelay } from './local-relay.ts';
import { PeerError } from './peer-error.ts';
import { RelayConnection } from './relay-connection.ts';

/** Interval of announcements: clients take a relay for dead whose newest one is some hours old. */
const INTERVAL_MILLISECONDS = 3_600_000;
/** Pause after a failed attempt. */
const AGAIN_MILLISECONDS = 300_000;
const TIMEOUT_MILLISECONDS = 10_000;
/** Largest relay information document that is published as the content. */
const DOCUMENT_BYTES_MAX = 64 * 1024;

/** Facts about a relay as a client meets it. */
export interface MeasuredFacts {
  /** Relay information document (NIP-11). */
  readonly document: Readonly<Record<string, unknown>>;
  /** Time of a new connection, and of an answer to a REQ for one event, in ms. */
  readonly openMilliseconds: number;
  readonly readMilliseconds: number;
}

/** Announcer of this relay (`identity.announce`). */
export class Announcer {
  readonly #config: Config;
  readonly #relay: LocalRelay;
  readonly #log: Log;
  #signer: RelaySigner | null = null;

  constructor(config: Config, relay: LocalRelay, log: Log) {
    this.#config = config;
    this.#relay = relay;
    this.#log = log;
  }

  /** Announces the relay now and every hour, until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    let isWarned = false;
    while (!signal.aborted) {
      let pause = INTERVAL_MILLISECONDS;
      try {
        await this.#announce(signal);
        isWarned = false;
      } catch (error) {
        if (signal.aborted) return;
        pause = AGAIN_MILLISECONDS;
        const why = (error as Error).message;
        if (!isWarned) this.#log.warn('this relay could not be announced (NIP-66)', { why });
        isWarned = true;
      }
      await delay(pause, undefined, { signal }).catch(() => {});
    }
  }

  async #announce(signal: AbortSignal): Promise<void> {
    const { urls, announce_urls: others } = this.#config.identity;
    const [url] = urls;
    if (url === undefined) throw new PeerError('identity.urls has no public address');
    const facts = await measure(url, signal);
    const event = (await this.#ownSigner()).sign(announcement(url, facts, systemClock.seconds()));
    const local = await this.#relay.connect('import', '');
    try {
      await publish(local, event);
    } finally {
      local.close();
    }
    let sent = 0;
    for (const other of others) {
      try {
        await this.#publishTo(other, event, signal);
        sent++;
      } catch (error) {
        const why = (error as Error).message;
        this.#log.warn('the announcement of this relay was not taken', { url: other, why });
      }
    }
    this.#log.info('this relay was announced (NIP-66)', { url, otherRelays: sent });
  }

  async #publishTo(url: string, event: NostrEvent, signal: AbortSignal): Promise<void> {
    const signer = await this.#ownSigner();
    const options = { timeoutMilliseconds: TIMEOUT_MILLISECONDS, signer, signal };
    const connection = await RelayConnection.open(url, options);
    try {
      await publish(connection, event);
    } finally {
      connection.close();
    }
  }

  async #ownSigner(): Promise<RelaySigner> {
    if (this.#signer === null) {
      const secret = relaySecret(this.#config, true);
      if (secret === null) throw new PeerError('this relay has no key');
      const { RelaySigner } = await import('../protocol/relay-signer.ts');
      this.#signer = new RelaySigner(secret);
    }
    return this.#signer;
  }
}

/** @throws PeerError if the event is not accepted. */
async function publish(to: RelayConnection, event: NostrEvent): Promise<void> {
  const { ok, message } = await to.publish(event.id, JSON.stringify(event));
  if (!ok) throw new PeerError(message);
}

/** Measures a relay as a client would meet it. @throws PeerError */
async function measure(url: string, signal: AbortSignal): Promise<MeasuredFacts> {
  const document = await documentOf(url, signal);
  const begunAt = performance.now();
  const connection = await RelayConnection.open(url, {
    timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    signal,
  });
  try {
    const openedAt = performance.now();
    await new Promise<void>((resolve, reject) => {
      connection.subscribe([{ limit: 1 }], {
        event: () => {},
        eose: resolve,
        // A relay that requires authentication has answered, too.
        closed: (why) => {
          if (connection.isOpen) resolve();
          else reject(new PeerError(why));
        },
      });
    });
    return {
      document,
      openMilliseconds: Math.ceil(openedAt - begunAt),
      readMilliseconds: Math.ceil(performance.now() - openedAt),
    };
  } finally {
    connection.close();
  }
}

/** Fetches the relay information document. @throws PeerError */
async function documentOf(url: string, signal: AbortSignal): Promise<MeasuredFacts['document']> {
  const address = url.replace(/^ws/i, 'http');
  let text: string;
  try {
    const answer = await fetch(address, {
      headers: { accept: 'application/nostr+json' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MILLISECONDS)]),
    });
    text = await answer.text();
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error };
    throw new PeerError(`${address} cannot be fetched: ${cause?.message ?? message}`);
  }
  try {
    const document: unknown = JSON.parse(text);
    if (text.length <= DOCUMENT_BYTES_MAX && typeof document === 'object' && document !== null)
      return document as MeasuredFacts['document'];
  } catch {}
  throw new PeerError(`${address} answers with no relay information document (NIP-11)`);
}

/** Returns the announcement of a relay, not signed yet (NIP-66, kind 30166). */
export function announcement(
  url: string,
  { document, openMilliseconds, readMilliseconds }: MeasuredFacts,
  createdAt: number,
): Pick<NostrEvent, 'kind' | 'created_at' | 'tags' | 'content'> {
  const { hostname, href } = new URL(url);
  const nips = Array.isArray(document.supported_nips) ? document.supported_nips : [];
  const topics = Array.isArray(document.tags) ? document.tags : [];
  const tags = [
    ['d', href],
    ['n', networkOf(hostname)],
    ...nips.map((nip) => ['N', String(nip)]),
    ...requirements(document.limitation),
    ...topics.map((topic) => ['t', String(topic)]),
    ['rtt-open', String(openMilliseconds)],
    ['rtt-read', String(readMilliseconds)],
  ];
  return {
    kind: KIND_RELAY_DISCOVERY,
    created_at: createdAt,
    tags,
    content: JSON.stringify(document),
  };
}

function networkOf(hostname: string): string {
  const [, network] = /\.(onion|i2p|loki)$/.exec(hostname) ?? [];
  if (network === undefined) return 'clearnet';
  return network === 'onion' ? 'tor' : network;
}

/** Returns the tags `R` of a document's limitations: `auth`, or `!auth` if it is not required. */
function requirements(limitation: unknown): string[][] {
  if (typeof limitation !== 'object' || limitation === null) return [];
  const {
    auth_required: auth,
    restricted_writes: writes,
    payment_required: payment,
    min_pow_difficulty: pow,
  } = limitation as Record<string, unknown>;
  const facts = { auth, writes, payment, pow: typeof pow === 'number' && pow > 0 };
  return Object.entries(facts).map(([name, isSo]) => ['R', isSo === true ? name : `!${name}`]);
}
