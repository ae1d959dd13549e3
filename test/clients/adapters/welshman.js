import { setTimeout as delay } from 'node:timers/promises';
import {
  defaultSocketPolicies,
  makeSocketPolicyAuth,
  netContext,
  publishOne,
  requestOne,
} from '@welshman/net';
import { challengesAtConnect, run } from './program.js';

run((relay, sign) => {
  if (sign) {
    defaultSocketPolicies.push(makeSocketPolicyAuth({ sign: async (draft) => sign(draft) }));
  }
  const authenticated = async () => {
    const socket = netContext.pool.get(relay);
    socket.attemptToOpen();
    while (socket.auth.status !== 'ok') await delay(10);
  };
  return {
    connect: async () => {
      // It keeps no more than 50 messages until a challenge was answered.
      if (challengesAtConnect) await authenticated();
    },
    publish: async (event) => {
      const { status, detail } = await publishOne({ relay, event });
      return { accepted: status === 'success', message: detail };
    },
    query: (filter) => requestOne({ relay, filters: [filter], autoClose: true }),
    live: (filter, hear) =>
      new Promise((resolve, reject) => {
        requestOne({
          relay,
          filters: [filter],
          onEvent: hear,
          onEose: () => resolve(),
          onClosed: (reason) => reject(new Error(reason)),
        });
      }),
  };
});
