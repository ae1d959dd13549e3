// Cases with a mix of publishing, queries and live subscriptions: short (social) and long (soak).

import { shapes } from './req.ts';
import type { Case, Scenario } from './scenario.ts';

/** Simultaneous work of the clients of some hundred people. */
const parts: Case['parts'] = [
  {
    part: 'subscribe',
    action: 'note delivered',
    subscriptions: 500,
    connections: 250,
    interests: [
      { weight: 0.6, interest: { of: 'authors', count: 100 } },
      { weight: 0.4, interest: { of: 'mentions' } },
    ],
    ids: 'own',
  },
  {
    part: 'query',
    verb: 'REQ',
    shapes: [
      { action: 'REQ feed', weight: 0.2, filter: shapes.feed },
      { action: 'REQ notifications', weight: 0.2, filter: shapes.notifications },
      { action: 'REQ thread', weight: 0.2, filter: shapes.thread },
      { action: 'REQ profile', weight: 0.15, filter: shapes.profile },
      { action: 'REQ author', weight: 0.1, filter: shapes.author },
      { action: 'REQ profiles', weight: 0.1, filter: shapes.profiles },
      { action: 'REQ hashtag', weight: 0.05, filter: shapes.hashtag },
    ],
    distinct: 1000,
    connections: 50,
    inFlight: 8,
    rate: 150,
    grows: true,
  },
  {
    part: 'publish',
    action: 'note published',
    source: { profile: 'notes', seedOffset: 50, share: 1 },
    as: 'fresh',
    connections: 10,
    inFlight: 1000,
    rate: 20,
  },
  {
    part: 'connect',
    action: 'client opened',
    connections: 0,
    concurrency: 1,
    rate: 10,
    filter: '{"kinds":[1],"limit":20}',
    holdSeconds: 0,
  },
];

/** Scenario of all kinds of work at once, at the rates of some hundred people. */
export const social: Scenario = {
  name: 'social',
  title: 'Mixed load of social clients',
  about:
    '250 clients have open subscriptions to their feed and mentions, 150 queries per second (feeds, ' +
    'notifications, threads, profiles) come over 50 connections, 20 notes a second are published, ten ' +
    'clients per second connect, query and disconnect. All load is paced: latencies count from the moment that ' +
    'a message was due.',
  cases: [
    {
      name: 'mix',
      unit: 'request',
      headline: 'REQ feed',
      parts,
      needsStored: true,
      seconds: 20,
      warmup: { seconds: 3 },
    },
  ],
};

/** Scenario of the same mix for a long time. */
export const soak: Scenario = {
  name: 'soak',
  title: 'Soak: the social mix for a long time',
  about:
    'The mix of social for five minutes, or as long as --seconds says. Memory and latency at the end ' +
    'are compared with those at the beginning.',
  cases: [
    {
      name: 'mix',
      unit: 'request',
      headline: 'REQ feed',
      parts: parts.map((part) =>
        part.part === 'publish' ? { ...part, source: { ...part.source, seedOffset: 51 } } : part,
      ),
      needsStored: true,
      seconds: 300,
      warmup: { seconds: 10 },
      trend: true,
    },
  ],
};
