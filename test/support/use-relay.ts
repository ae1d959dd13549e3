import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { Client } from './client.ts';
import { type Settings, startRelay, type TestRelay } from './relay.ts';

/** What `useRelay` gives to the tests; its fields are there while a test runs. */
export interface RelayInUse {
  relay: TestRelay;
  /** A fresh connection for each test. */
  client: Client;
  /** One more connection, closed after the test like the other. */
  connect(): Promise<Client>;
}

/** One relay for all tests of the enclosing file or describe. */
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
