import { NostrFetcher } from 'nostr-fetch';
import { run } from './program.js';

run((url) => {
  const fetcher = NostrFetcher.init({ webSocketConstructor: globalThis.WebSocket });
  return {
    query: ({ since, until, limit, ...filter }) =>
      limit === undefined
        ? fetcher.fetchAllEvents([url], filter, { since, until })
        : fetcher.fetchLatestEvents([url], filter, limit, { asOf: until }),
    page: ({ since, until, ...filter }, limit) =>
      fetcher.fetchAllEvents([url], filter, { since, until }, { limitPerReq: limit }),
  };
});
