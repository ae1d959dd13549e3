import { RelayPool } from 'nostr-relaypool';
import { authDraft, challengesAtConnect, run } from './program.js';

run((url, sign) => {
  const pool = new RelayPool([url], { autoReconnect: true });
  const authenticated = new Promise((resolve) => {
    pool.onauth((relay, challenge) => {
      if (sign) relay.auth(sign(authDraft(url, challenge))).on('ok', resolve);
    });
  });
  return {
    connect: async () => {
      if (challengesAtConnect) await authenticated;
    },
    publish: (event) =>
      new Promise((resolve) => {
        const sent = pool.addOrGetRelay(url).publish(event);
        sent.on('ok', () => resolve({ accepted: true, message: '' }));
        sent.on('failed', (message) => resolve({ accepted: false, message }));
      }),
    query: (filter) =>
      new Promise((resolve) => {
        const events = [];
        const end = pool.subscribe(
          [filter],
          [url],
          (event) => events.push(event),
          undefined,
          () => {
            resolve(events);
            end?.();
          },
        );
      }),
    live: (filter, hear) =>
      new Promise((resolve) => {
        pool.subscribe([filter], [url], hear, undefined, () => resolve());
      }),
  };
});
