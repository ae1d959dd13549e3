import { createSignedAuthEvent, parseAuthRequiredReason, Relay, RelayEvent } from 'snstr';
import { challengesAtConnect, run } from './program.js';

run((url, sign) => {
  const relay = new Relay(url, { autoReconnect: true });
  let authenticated = Promise.resolve();
  // It answers no challenge by itself and repeats nothing that was refused: both are the application's.
  const challenged = new Promise((resolve) => {
    relay.on(RelayEvent.Auth, (challenge) => {
      if (sign === undefined) return;
      authenticated = createSignedAuthEvent(challenge, url, process.argv[3]).then((event) =>
        relay.authenticate(event),
      );
      resolve(authenticated);
    });
  });
  const wantsAuth = (reason) => sign && parseAuthRequiredReason(reason ?? '') !== undefined;

  /** Subscribes, once more when it was refused for want of authentication. */
  const subscribe = (filter, hear) =>
    new Promise((resolve, reject) => {
      let subscription;
      const open = () => {
        subscription = relay.subscribe([filter], hear, () => resolve(subscription));
      };
      let isRetried = false;
      relay.on(RelayEvent.Closed, (id, reason) => {
        if (id !== subscription) return;
        if (isRetried || !wantsAuth(reason)) reject(new Error(reason));
        else challenged.then(() => authenticated).then(open, reject);
        isRetried = true;
      });
      open();
    });
  return {
    connect: async () => {
      await relay.connect();
      if (challengesAtConnect) await challenged;
    },
    publish: async (event) => {
      let verdict = await relay.publish(event);
      if (!verdict.success && wantsAuth(verdict.reason)) {
        await challenged;
        await authenticated;
        verdict = await relay.publish(event);
      }
      return { accepted: verdict.success, message: verdict.reason ?? '' };
    },
    query: async (filter) => {
      const events = [];
      const subscription = await subscribe(filter, (event) => events.push(event));
      relay.unsubscribe(subscription);
      return events;
    },
    live: async (filter, hear) => {
      await subscribe(filter, hear);
    },
  };
});
