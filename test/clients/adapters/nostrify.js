import { NRelay1 } from '@nostrify/nostrify';
import { authDraft, challengesAtConnect, run } from './program.js';

run((url, sign) => {
  let relay;
  const challenged = new Promise((resolve) => {
    const auth = async (challenge) => {
      resolve();
      return sign(authDraft(url, challenge));
    };
    relay = new NRelay1(url, sign && { auth });
  });
  return {
    connect: async () => {
      // It repeats a refused subscription once, and then no more after a reconnect.
      if (challengesAtConnect) await challenged;
    },
    publish: (event) =>
      relay.event(event).then(
        () => ({ accepted: true, message: '' }),
        ({ message }) => ({ accepted: false, message }),
      ),
    query: (filter) => relay.query([filter]),
    live: (filter, hear) =>
      new Promise((resolve, reject) => {
        const listen = async () => {
          for await (const [verb, , event] of relay.req([filter])) {
            if (verb === 'EVENT') hear(event);
            if (verb === 'EOSE') resolve();
          }
          throw new Error('the subscription ended');
        };
        listen().catch(reject);
      }),
    count: async (filter) => (await relay.count([filter])).count,
  };
});
