import { Relay } from 'applesauce-relay';
import { lastValueFrom, repeat, toArray } from 'rxjs';
import { complain, run } from './program.js';

run((url, sign) => {
  const relay = new Relay(url, { WebSocket: globalThis.WebSocket });
  if (sign) {
    const signer = { signEvent: async (draft) => sign(draft) };
    relay.challenge$.subscribe((challenge) => {
      if (challenge !== null) relay.authenticate(signer).catch(complain);
    });
  }
  return {
    publish: async (event) => {
      const { ok, message = '' } = await relay.publish(event);
      return { accepted: ok, message };
    },
    query: (filter) => lastValueFrom(relay.request(filter).pipe(toArray())),
    live: (filter, hear) =>
      new Promise((resolve, reject) => {
        // A relay that closes in order ends the subscription without an error.
        const events = relay
          .subscription(filter, { reconnect: true })
          .pipe(repeat({ delay: 1000 }));
        events.subscribe({
          next: (heard) => (heard === 'EOSE' ? resolve() : hear(heard)),
          error: reject,
        });
      }),
    count: async (filter) => (await lastValueFrom(relay.count(filter))).count,
  };
});
