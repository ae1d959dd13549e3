// Hooks that start one relay for several tests and a connection for each.

import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { Client } from './client.ts';
import { type Settings, startRelay, type TestRelay } from './relay.ts';

/** Relay and connections that `useRelay` gives to tests; set while a test runs. */
export interface RelayInUse {
  relay: TestRelay;
  /** Connection that is new for each test. */
  client: Client;
  /** Opens one more connection, closed after the test like `client`. */
  connect(): Promise<Client>;
}

/** Starts one relay for all tests of the enclosing file or describe. */
export function useRelay(settings: Settings = {}): RelayInUse {
  let clients: Client[] = [];
  const use = {
    connect: async () => {
      const client = await Client.connect(use.relay.url);
      clients.push(client);
      return client;
    },
  } as RelayInUse;
  beforeAll(async () => {
    use.relay = await startRelay(settings);
  });
  beforeEach(async () => {
    use.client = await use.connect();
  });
  afterEach(() => {
    for (const { socket } of clients) socket.terminate();
    clients = [];
  });
  afterAll(() => use.relay.stop());
  return use;
}
