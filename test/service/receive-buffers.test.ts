// Tests of the receive buffers of sockets, on real sockets of this process.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { libc, receiveBuffer } from '../../src/service/libc.ts';
import { ReceiveBuffers } from '../../src/service/receive-buffers.ts';
import { until } from '../support/process.ts';

const SIZES = { start: 16_384, normal: 32_768, flooding: 2304 };
const c = libc();

/** Server whose connections are not read until they are resumed. */
async function listening(): Promise<{ server: Server; port: number; accepted: Socket[] }> {
  const accepted: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => accepted.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { server, port, accepted };
}

function descriptorOf(handle: Socket | Server): number {
  return (handle as unknown as { _handle: { fd: number } })._handle.fd;
}

describe.skipIf(c === null)('receive buffers (needs Linux with glibc, and koffi)', () => {
  const sizeOf = (socket: Socket | Server) => receiveBuffer(c!, descriptorOf(socket))?.bytes;
  const usedOf = (socket: Socket) => receiveBuffer(c!, descriptorOf(socket))?.used ?? 0;

  it('start small, grow when read, shrink while they are full in long turns', async () => {
    const { server, port, accepted } = await listening();
    const sockets = { port, opened: 0 };
    const buffers = new ReceiveBuffers(c!, sockets, SIZES);
    onTestFinished(() => buffers.stop());
    expect(sizeOf(server)).toBe(SIZES.start);

    const clients = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')] as const;
    onTestFinished(() => {
      for (const client of clients) client.destroy();
    });
    await until(() => accepted.length === 2, 'both to connect');
    const flooding = accepted.find(({ remotePort }) => remotePort === clients[0].localPort)!;
    const quiet = accepted.find(({ remotePort }) => remotePort === clients[1].localPort)!;
    expect([sizeOf(flooding), sizeOf(quiet)]).toEqual([SIZES.start, SIZES.start]);

    clients[0].write(Buffer.alloc(4_000_000));
    await until(() => usedOf(flooding) > SIZES.start / 4, 'the buffer to fill');
    buffers.longTurn();
    expect([sizeOf(flooding), sizeOf(quiet)]).toEqual([SIZES.flooding, SIZES.start]);

    sockets.opened = 2;
    await until(() => sizeOf(quiet) === SIZES.normal, 'the quiet one to grow');
    expect(sizeOf(flooding)).toBe(SIZES.flooding);
    expect(sizeOf(server)).toBe(SIZES.start);

    flooding.resume();
    await until(() => sizeOf(flooding) === SIZES.normal, 'the other one to grow once it is calm');
  });

  it('leaves the sockets of other ports alone', async () => {
    const [mine, other] = [await listening(), await listening()];
    const before = sizeOf(other.server);
    const buffers = new ReceiveBuffers(c!, { port: mine.port, opened: 0 }, SIZES);
    onTestFinished(() => buffers.stop());
    expect(sizeOf(mine.server)).toBe(SIZES.start);
    expect(sizeOf(other.server)).toBe(before);
  });
});
