// Tests of io.handshake_seconds against a real relay over sockets: only connections that send no
// complete request are closed.

import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.ts';
import { RawSocket } from '../support/http.ts';
import { loopClock } from '../support/pace.ts';
import { until } from '../support/process.ts';
import { startRelay, type TestRelay, testConfig } from '../support/relay.ts';

describe('a connection that asks for nothing', () => {
  let relay: TestRelay;
  beforeAll(async () => {
    relay = await startRelay({
      'io.handshake_seconds': 2,
      'io.connections_per_ip_max': 0,
      'info.description': 'long '.repeat(8_000_000),
    });
  });
  afterAll(() => relay.stop());

  it('is closed in time, silent or dripping; WebSockets and slow readers of an answer live on', async () => {
    const clients = await Promise.all(Array.from({ length: 500 }, () => Client.connect(relay.url)));
    const { port } = relay.relay;
    const slow = connect({ port, host: '127.0.0.1' });
    let received = 0;
    slow.on('data', (chunk) => {
      received += chunk.length;
    });
    slow.pause();
    // Reads a little at a time: uWebSockets.js itself closes a client that reads nothing at all.
    let sips = true;
    const sip = setInterval(() => {
      slow.resume();
      // A turn later, when the socket may have been resumed for good.
      setImmediate(() => sips && slow.pause());
    }, 500);
    slow.write('GET / HTTP/1.1\r\nHost: relay.example\r\nAccept: application/nostr+json\r\n\r\n');

    const beginnings = ['', 'GET / HTTP/1.1\r\nHost: relay.example\r\n', 'GET / HTTP/1.1\r\nA: '];
    const [start, loop] = [performance.now(), loopClock()];
    const raws = await Promise.all(beginnings.map(() => RawSocket.connect(port)));
    for (const [i, { socket }] of raws.entries()) socket.write(beginnings[i]!);
    const drip = setInterval(() => raws[2]!.socket.write('a'), 100);
    for (const raw of raws) {
      await raw.ended();
      expect(performance.now() - start).toBeGreaterThan(1_800);
      expect(loop.seconds()).toBeLessThan(6);
    }
    clearInterval(drip);
    loop.stop();
    // After twice the time all other connections are still open.
    await (await RawSocket.connect(port)).ended();
    await Promise.all(clients.map((client) => client.sync()));
    clearInterval(sip);
    sips = false;
    expect(received).toBeLessThan(40_000_000);
    slow.resume();
    await new Promise((resolve) => slow.once('close', resolve));
    expect(received).toBeGreaterThan(40_000_000);
    for (const { socket } of clients) socket.terminate();
  });
});

describe('sockets that come and go while others are swept', () => {
  it('are never mistaken for each other', async () => {
    const relay = await startRelay({ 'io.handshake_seconds': 1, 'io.connections_per_ip_max': 0 });
    const { port } = relay.relay;
    const steady = await Promise.all(Array.from({ length: 20 }, () => Client.connect(relay.url)));
    let [swept, answered, failed] = [0, 0, 0];
    const isEnough = () => swept >= 300 && answered >= 300;
    /** Opens silent sockets one after the other, which keeps freeing descriptors for reuse. */
    const idler = async () => {
      while (!isEnough()) {
        const socket: Socket = connect({ port, host: '127.0.0.1' });
        socket.on('error', () => {});
        if (Math.random() < 0.5) setTimeout(() => socket.destroy(), Math.random() * 1_500);
        await new Promise((resolve) => socket.once('close', resolve));
        swept++;
      }
    };
    /** Connects, queries and closes in a loop; its descriptor may be that of a swept socket. */
    const asker = async () => {
      while (!isEnough()) {
        try {
          const client = await Client.connect(relay.url);
          await client.sync();
          await delay(Math.random() * 30);
          await client.sync();
          await client.close();
          answered++;
        } catch {
          failed++;
        }
      }
    };
    await Promise.all([...Array.from({ length: 60 }, idler), ...Array.from({ length: 8 }, asker)]);
    expect(failed).toBe(0);
    await Promise.all(steady.map((client) => client.sync()));
    await relay.stop();
  });

  it('beyond io.connections_max of them, new ones are turned away at once', async () => {
    const settings = { 'io.connections_max': 5, 'io.handshake_seconds': 0 };
    const relay = await startRelay(settings);
    const sockets = Array.from({ length: 30 }, () =>
      connect({ port: relay.relay.port, host: '127.0.0.1' }),
    );
    let closed = 0;
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.on('close', () => closed++);
    }
    await until(() => closed === 25, '25 sockets to be turned away');
    // After the five have been closed too, new connections are accepted again.
    const next = testConfig(relay.directory, { ...settings, 'io.handshake_seconds': 1 });
    await relay.relay.reload(next);
    await until(() => closed === 30, 'the others');
    const client = await Client.connect(relay.url);
    await client.sync();
    await client.close();
    await relay.stop();
  });
});
