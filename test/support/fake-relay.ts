// Relay with one chosen fault, on ws and the oracle, for tests of the bench.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { hashesTo } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { loadSignatureBackend } from '../../src/protocol/signature/signature.ts';
import { matches, Oracle, type RawFilter } from './oracle.ts';

/** Fault of a fake relay. */
export type Fault =
  | 'none'
  | 'takes forged events'
  | 'refuses every tenth event'
  | 'limits every tenth event'
  | 'leaves an OK out'
  | 'leaves an event of an answer out'
  | 'answers with an event that does not match'
  | 'answers with a changed event'
  | 'never ends an answer'
  | 'counts one too many'
  | 'forgets an event'
  | 'loses a delivery'
  | 'delivers twice'
  | 'delivers what nobody asked for';

export interface FakeRelay {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts a small relay with a fault, to test that the bench finds it. It writes JSON with white
 * space and with keys in another order than wok, so that the bench cannot depend on how wok writes
 * it.
 */
export async function startFakeRelay(fault: Fault): Promise<FakeRelay> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const signature = await loadSignatureBackend('auto');
  const relay = new Relay(fault, (event) => {
    const [sig, id, pubkey] = [event.sig, event.id, event.pubkey].map((hex) =>
      Buffer.from(hex, 'hex'),
    );
    return hashesTo(event) && signature.verify(sig!, id!, pubkey!);
  });
  server.on('connection', (socket) => {
    socket.on('message', (data) => relay.take(socket, JSON.parse(String(data)) as unknown[]));
    socket.on('close', () => relay.forget(socket));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    async stop() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}

class Relay {
  readonly #fault: Fault;
  readonly #isGenuine: (event: NostrEvent) => boolean;
  readonly #oracle = new Oracle({ limitDefault: 500, limitMax: 5000 });
  readonly #subscriptions = new Map<WebSocket, Map<string, RawFilter[]>>();
  #events = 0;
  #deliveries = 0;

  constructor(fault: Fault, isGenuine: (event: NostrEvent) => boolean) {
    this.#fault = fault;
    this.#isGenuine = isGenuine;
  }

  take(socket: WebSocket, [verb, ...rest]: unknown[]): void {
    if (verb === 'EVENT') this.#event(socket, rest[0] as NostrEvent);
    else if (verb === 'REQ') this.#request(socket, rest[0] as string, rest.slice(1) as RawFilter[]);
    else if (verb === 'COUNT') this.#count(socket, rest[0] as string, rest.slice(1) as RawFilter[]);
    else if (verb === 'CLOSE') this.#subscriptions.get(socket)?.delete(rest[0] as string);
  }

  forget(socket: WebSocket): void {
    this.#subscriptions.delete(socket);
  }

  #event(socket: WebSocket, event: NostrEvent): void {
    const turn = ++this.#events % 10 === 0;
    if (this.#fault === 'leaves an OK out' && this.#events === 20) return;
    const refusal = this.#refusal(event, turn);
    if (refusal !== undefined || (this.#fault === 'forgets an event' && turn)) {
      send(socket, ['OK', event.id, refusal === undefined, refusal ?? '']);
      return;
    }
    const { ok, prefix } = this.#oracle.publish(event, 0);
    send(socket, ['OK', event.id, ok, prefix === '' ? '' : `${prefix}: so it is`]);
    if (prefix === '') this.#deliver(event);
  }

  #refusal(event: NostrEvent, turn: boolean): string | undefined {
    if (this.#fault === 'refuses every tenth event' && turn) return 'invalid: no';
    if (this.#fault === 'limits every tenth event' && turn) return 'rate-limited: later';
    const isTaken = this.#fault === 'takes forged events' || this.#isGenuine(event);
    return isTaken ? undefined : 'invalid: forged';
  }

  #deliver(event: NostrEvent): void {
    for (const [socket, subscriptions] of this.#subscriptions) {
      for (const [id, filters] of subscriptions) {
        if (!filters.some((filter) => matches(filter, event))) {
          if (this.#fault === 'delivers what nobody asked for')
            send(socket, ['EVENT', id, sorted(event)]);
          continue;
        }
        const turn = ++this.#deliveries % 50 === 0;
        if (this.#fault === 'loses a delivery' && turn) continue;
        send(socket, ['EVENT', id, sorted(event)]);
        if (this.#fault === 'delivers twice' && turn) send(socket, ['EVENT', id, sorted(event)]);
      }
    }
  }

  #request(socket: WebSocket, id: string, filters: RawFilter[]): void {
    const own = this.#subscriptions.get(socket) ?? new Map<string, RawFilter[]>();
    this.#subscriptions.set(socket, own.set(id, filters));
    let events = this.#oracle.query(filters, 0);
    if (this.#fault === 'leaves an event of an answer out') events = events.slice(1);
    if (this.#fault === 'answers with an event that does not match') {
      const stray = this.#oracle.all(0).find((event) => !filters.some((f) => matches(f, event)));
      if (stray !== undefined) events = [...events.slice(0, -1), stray];
    }
    if (this.#fault === 'answers with a changed event') {
      events = events.map((event) => ({ ...event, content: `${event.content}!` }));
    }
    for (const event of events) send(socket, ['EVENT', id, sorted(event)]);
    if (this.#fault !== 'never ends an answer' || !id.startsWith('q')) send(socket, ['EOSE', id]);
  }

  #count(socket: WebSocket, id: string, filters: RawFilter[]): void {
    const more = this.#fault === 'counts one too many' ? 1 : 0;
    send(socket, ['COUNT', id, { count: this.#oracle.count(filters, 0) + more }]);
  }
}

/** Returns an event with its keys in alphabetical order, as some relays write them. */
function sorted(event: NostrEvent): Record<string, unknown> {
  return Object.fromEntries(Object.entries(event).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Sends a message with white space after each comma and colon of the outer array and the event. */
function send(socket: WebSocket, message: readonly unknown[]): void {
  const parts = message.map((part) => {
    if (typeof part !== 'object' || part === null) return JSON.stringify(part);
    const fields = Object.entries(part).map(([key, value]) => `"${key}": ${JSON.stringify(value)}`);
    return `{${fields.join(', ')}}`;
  });
  socket.send(`[${parts.join(', ')}]`);
}
