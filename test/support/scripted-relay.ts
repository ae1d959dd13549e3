// Relay whose answers a test writes itself, for faults that no real relay has.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** Message of a client, or one to it. */
type Message = readonly unknown[];

/** Answers a message of a client. */
type Script = (
  message: Message,
  send: (message: Message) => void,
  socket: WebSocket,
) => void | Promise<void>;

/** Relay that follows a script. */
export interface ScriptedRelay {
  readonly url: string;
  /** Number of connections so far. */
  readonly connections: number;
  /** Cuts off all clients. */
  disconnect(): void;
  stop(): Promise<void>;
}

/** Starts a relay on a free port that answers each message by a script. */
export async function startScriptedRelay(script: Script): Promise<ScriptedRelay> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const send = (message: Message) => socket.send(JSON.stringify(message));
      void script(JSON.parse(String(data)) as Message, send, socket);
    });
  });
  const { port } = server.address() as AddressInfo;
  const disconnect = () => {
    for (const socket of server.clients) socket.terminate();
  };
  return {
    url: `ws://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    disconnect,
    async stop() {
      disconnect();
      server.close();
      await once(server, 'close');
    },
  };
}
