// Cases with connections: opened and held idle, or opened in a storm.

import type { Scenario } from './scenario.ts';

/** Scenario of handshakes, and of the memory of idle connections. */
export const connect: Scenario = {
  name: 'connect',
  title: 'Connections: many handshakes, and idle connections',
  about:
    'idle: 5,000 connections are opened, each subscribes to notes (up to its EOSE), then all are held ' +
    'for five seconds; the memory that the relay gained is divided by them. storm: 5,000 handshakes, ' +
    '100 at a time, as after a restart of the relay.',
  cases: [
    {
      name: 'idle',
      unit: 'connection',
      headline: 'handshake',
      parts: [
        {
          part: 'connect',
          action: 'handshake',
          connections: 5000,
          concurrency: 100,
          filter: '{"kinds":[1],"limit":1}',
          holdSeconds: 5,
        },
      ],
      needsStored: false,
      seconds: 120,
      warmup: { seconds: 0 },
      memoryPerConnection: true,
    },
    {
      name: 'storm',
      unit: 'connection',
      headline: 'handshake',
      parts: [
        {
          part: 'connect',
          action: 'handshake',
          connections: 5000,
          concurrency: 100,
          holdSeconds: 0,
        },
      ],
      needsStored: false,
      seconds: 120,
      warmup: { seconds: 0 },
    },
  ],
};
