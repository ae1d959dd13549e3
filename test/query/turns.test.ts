// Test of fair turns of queries between clients, against a real relay over WebSocket with one query
// worker.

import { expect, it } from 'vitest';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { useRelay } from '../support/use-relay.ts';

const EVENTS = 600;
const COUNTS = 2_000;

const use = useRelay({ 'query.workers': 1, 'query.timeline_events': 16 });

/** Connects a client with an address of its own, as a proxy on this machine reports it. */
function from(ip: string): Promise<Client> {
  return Client.connect(use.relay.url, { headers: { 'X-Forwarded-For': ip } });
}

it('a client with a small question does not wait for thousands of others, and all are answered', async () => {
  const author = new Author();
  const note = author.event();
  for (const event of [note, ...Array.from({ length: EVENTS }, () => author.event())]) {
    await use.client.publish(event);
  }
  // Two connections from loopback, which has no rate limits.
  const busy = [await use.connect(), await use.connect()];
  const quiet = await from('203.0.113.7');
  await quiet.sync();
  let answered = 0;
  let answeredBefore = -1;
  for (const client of busy) {
    client.socket.on('message', (data) => {
      if (data.toString().startsWith('["COUNT"')) answered++;
    });
    for (let i = 0; i < COUNTS / 2; i++)
      client.send(['COUNT', `${i}`, { authors: [author.pubkey] }]);
  }
  const { events } = await quiet.query({ ids: [note.id] });
  answeredBefore = answered;
  expect(events).toEqual([note]);
  expect(answeredBefore).toBeLessThan(COUNTS / 2);
  await expect.poll(() => answered).toBe(COUNTS);
  for (const client of [...busy, quiet]) await client.close();
});
