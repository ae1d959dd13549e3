import { setTimeout as delay } from 'node:timers/promises';
import { NostrSystem, RequestBuilder } from '@snort/system';
import { authDraft, run } from './program.js';

run((url, sign) => {
  const system = new NostrSystem({
    checkSigs: true,
    automaticOutboxModel: false,
    disableSyncModule: true,
  });
  if (sign) {
    system.on('auth', (challenge, relay, answer) => answer(sign(authDraft(relay, challenge))));
  }
  const request = (filter, options) => {
    const builder = new RequestBuilder(crypto.randomUUID());
    builder.withOptions({ skipCache: true, ...options });
    builder.withBareFilter(filter);
    builder.withRelays([url]);
    return builder;
  };
  const authenticated = async () => {
    while (!system.pool.getConnection(url)?.Authed) await delay(10);
  };
  return {
    connect: async () => {
      // It answers a challenge only after a request for private kinds, as its apps make at login, and
      // does not repeat what was refused before.
      if (sign) system.Query(request({ kinds: [1059], limit: 1 }, { leaveOpen: true })).start();
      await system.ConnectToRelay(url, { read: true, write: true });
      if (sign) await authenticated();
    },
    publish: async (event) => {
      const [verdict] = await system.BroadcastEvent(event);
      return { accepted: verdict?.ok === true, message: verdict?.message ?? 'no answer' };
    },
    query: (filter) => system.Fetch(request(filter)),
    live: (filter, hear) =>
      new Promise((resolve) => {
        const query = system.Query(request(filter, { leaveOpen: true, groupingDelay: 0 }));
        query.on('event', (events) => events.forEach(hear));
        query.once('eose', resolve);
        query.start();
      }),
  };
});
