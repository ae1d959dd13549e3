// Flood of connections and incomplete handshakes.

import { connect, type Socket } from 'node:net';
import { upgradeRequest } from '../../bench/client/connection.ts';
import type { Attack } from '../attack/attack.ts';
import { framesOf } from '../attack/attack.ts';
import type { Scenario } from './scenario.ts';

const DRIP_MILLISECONDS = 200;
const LOOKS_LIKE_TLS = Buffer.from('16030100dc010000d80303', 'hex');
/**
 * Number of half-open sockets at once in all. Before a request they have no address but loopback.
 */
const SILENT = { short: 50, full: 300 };

/** Flood of handshakes, complete and incomplete. */
export const connections: Scenario = {
  name: 'connections',
  about:
    'connections opened and closed at full speed, slow and silent ones, TLS handshakes without TLS',
  from: ['one', 'many'],
  proof: 'connections',
  async flood(attack) {
    const sockets = attack.short ? SILENT.short : SILENT.full;
    await Promise.all([
      openAndClose(attack),
      ...Array.from({ length: sockets }, (_, n) => halfOpen(attack, n)),
    ]);
  },
};

function openAndClose(attack: Attack): Promise<void> {
  const subscription = framesOf(['["REQ","live",{"limit":1}]']);
  return attack.wires([10, 2], async (wire, number) => {
    if (number % 2 === 0) await wire.write(subscription);
    wire.destroy();
  });
}

/** Opens one socket after the other that never becomes a WebSocket. */
async function halfOpen(attack: Attack, number: number): Promise<void> {
  const address = attack.addresses[number % attack.addresses.length]!;
  while (!attack.isOver) {
    const { host, port } = attack.target;
    const socket = connect({ host, port });
    socket.on('error', () => {});
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.resume();
    attack.keep(socket);
    attack.count('half open');
    if (number % 3 === 0) void drip(attack, socket, upgradeRequest(attack.target, address).request);
    else if (number % 3 === 1) socket.write(LOOKS_LIKE_TLS);
    await ended;
    await attack.sleep(DRIP_MILLISECONDS);
  }
}

/** Sends a request a byte at a time. */
async function drip(attack: Attack, socket: Socket, request: string): Promise<void> {
  for (const byte of request) {
    if (attack.isOver || socket.destroyed) return;
    socket.write(byte);
    await attack.sleep(DRIP_MILLISECONDS);
  }
}
