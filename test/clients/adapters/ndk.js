import NDK, {
  NDKEvent,
  NDKPrivateKeySigner,
  NDKRelayAuthPolicies,
  NDKSubscriptionCacheUsage,
} from '@nostr-dev-kit/ndk';
import { challengesAtConnect, run } from './program.js';

run((url, sign) => {
  const signer = sign && new NDKPrivateKeySigner(process.argv[3]);
  const ndk = new NDK({ explicitRelayUrls: [url], signer, enableOutboxModel: false });
  if (signer) ndk.relayAuthDefaultPolicy = NDKRelayAuthPolicies.signIn({ ndk, signer });
  const options = { groupable: false, cacheUsage: NDKSubscriptionCacheUsage.ONLY_RELAY };
  return {
    connect: async () => {
      const authenticated = new Promise((resolve) => ndk.pool.once('relay:authed', resolve));
      await ndk.connect(5000);
      // This policy does not repeat an event that was refused; one that answers true does, and then the
      // library never reconnects.
      if (challengesAtConnect) await authenticated;
    },
    publish: (event) =>
      new NDKEvent(ndk, event).publish(undefined, 10_000).then(
        () => ({ accepted: true, message: '' }),
        (error) => {
          const [reason] = error.errors?.values() ?? [];
          return { accepted: false, message: String(reason?.message ?? error.message) };
        },
      ),
    query: async (filter) => {
      const events = await ndk.fetchEvents(filter, { ...options, closeOnEose: true });
      return [...events].map((event) => event.rawEvent());
    },
    live: (filter, hear) =>
      new Promise((resolve) => {
        const onEvent = (event) => hear(event.rawEvent());
        const onEose = () => resolve();
        ndk.subscribe(filter, { ...options, closeOnEose: false, onEvent, onEose });
      }),
    count: async (filter) => {
      const { count } = await ndk.count(filter);
      return count;
    },
  };
});
