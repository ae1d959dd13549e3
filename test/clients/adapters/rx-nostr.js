import { verifyEvent } from 'nostr-tools/pure';
import { createRxForwardReq, createRxNostr, createRxOneshotReq } from 'rx-nostr';
import { lastValueFrom, map, toArray } from 'rxjs';
import { run } from './program.js';

run((url, sign) => {
  const signer = {
    // Events of the steps are signed already; what else it is asked for answers a challenge.
    signEvent: async (draft) => (draft.sig === undefined ? sign(draft) : draft),
    getPublicKey: async () => sign({ kind: 1, content: '', tags: [] }).pubkey,
  };
  const rxNostr = createRxNostr({
    verifier: async (event) => verifyEvent(event),
    signer,
    websocketCtor: globalThis.WebSocket,
    authenticator: sign && { signer },
  });
  rxNostr.setDefaultRelays([url]);
  // Its own are numbers below a million at random: of 300 two are the same once in 22 times.
  let queries = 0;
  return {
    publish: async (event) => {
      const { ok, notice = '' } = await lastValueFrom(rxNostr.send(event));
      return { accepted: ok, message: notice };
    },
    query: (filter) =>
      lastValueFrom(
        rxNostr.use(createRxOneshotReq({ filters: filter, rxReqId: `query-${queries++}` })).pipe(
          map(({ event }) => event),
          toArray(),
        ),
      ),
    live: (filter, hear) =>
      new Promise((resolve) => {
        rxNostr.createAllMessageObservable().subscribe(({ type }) => {
          if (type === 'EOSE') resolve();
        });
        const request = createRxForwardReq();
        rxNostr.use(request).subscribe(({ event }) => hear(event));
        request.emit(filter);
      }),
  };
});
