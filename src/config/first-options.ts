// The ten options that the operator of a new relay sets first, named at the top of relay.conf.

import type { OptionKey } from './options.ts';

/** Options to set first, in the order of relay.conf, each with its meaning in a few words. */
export const firstOptions: Readonly<Partial<Record<OptionKey, string>>> = {
  'info.name': 'the name that clients show',
  'info.pubkey': 'your public key: reports go to it, and it has all rights on /admin',
  'io.host': 'address to listen on; 127.0.0.1 behind a proxy on the same machine',
  'io.port': 'port to listen on',
  'policy.pubkeys_allowed': 'the keys that may write; empty: all',
  'plugins.commands': 'programs that decide about events',
  'identity.urls': 'the public addresses of the relay; authentication needs them',
  'auth.required': 'whether clients have to authenticate to write or to read',
  'retention.mib_max': 'how large the database may become, in MiB',
  'storage.directory': 'where the database is',
};
