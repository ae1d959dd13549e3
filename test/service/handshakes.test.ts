// HandshakeSweeper on sockets of a server of the test: which silent ones it closes, and when none.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { HandshakeSweeper } from '../../src/service/handshakes.ts';
import { libc } from '../../src/service/libc.ts';
import { until } from '../support/process.ts';

const c = libc();

describe.skipIf(c === null)('the sweeper of silent connections', () => {
  it('waits while a whole request has no answer yet, then closes them', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect(port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    socket.on('error', () => {});
    socket.resume();
    const closed = once(client.resume(), 'close');
    let looks = 0;
    let isAnswering = true;
    const pending = {
      port,
      get pending() {
        looks++;
        return 1;
      },
      get isAnswering() {
        return isAnswering;
      },
    };
    const sweeper = new HandshakeSweeper(c!, pending, 0.1);
    try {
      await until(() => looks >= 8, 'looks of the sweeper');
      expect([sweeper.closed, client.closed]).toEqual([0, false]);
      isAnswering = false;
      await closed;
      expect(sweeper.closed).toBe(1);
    } finally {
      sweeper.stop();
      client.destroy();
      socket.destroy();
      server.close();
    }
  });
});
