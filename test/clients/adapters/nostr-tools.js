import { SimplePool, useWebSocketImplementation } from 'nostr-tools/pool';
import { challengesAtConnect, run } from './program.js';

useWebSocketImplementation(globalThis.WebSocket);

run((url, sign) => {
  const pool = new SimplePool({ enableReconnect: true });
  let onauth;
  const challenged = new Promise((resolve) => {
    if (sign === undefined) return;
    onauth = async (draft) => {
      resolve();
      return sign(draft);
    };
    pool.automaticallyAuth = () => onauth;
  });
  return {
    connect: async () => {
      const relay = await pool.ensureRelay(url);
      // A subscription that was refused once is not repeated after a reconnect.
      if (challengesAtConnect) await challenged.then(() => relay.auth(onauth));
    },
    publish: (event) =>
      Promise.all(pool.publish([url], event, { onauth })).then(
        ([message]) => ({ accepted: true, message }),
        ({ message }) => ({ accepted: false, message }),
      ),
    query: (filter) => pool.querySync([url], filter, { onauth, maxWait: 20_000 }),
    live: (filter, hear) =>
      new Promise((resolve, reject) => {
        pool.subscribe([url], filter, {
          onauth,
          onevent: hear,
          oneose: resolve,
          onclose: ([closed]) => reject(new Error(closed.reason)),
        });
      }),
    count: async (filter) => (await pool.ensureRelay(url)).count([filter], {}),
  };
});
