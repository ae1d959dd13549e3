// `wok migrate`: translates the configuration of another relay and moves its events.

import { type Call, type Command, UsageError } from '../command.ts';
import { timeOf } from '../filter-flags.ts';
import { interruptible } from '../interrupt.ts';

const CONFIG_NAME = 'relay.conf';

/** Command `wok migrate`, with an action for each relay. */
export const migrateCommand: Command = {
  name: 'migrate',
  actions: {
    strfry: {
      args: '<path>',
      summary: 'From strfry: strfry.conf or its directory; events by strfry export',
    },
    'nostr-rs-relay': {
      args: '<path>',
      summary: 'From nostr-rs-relay: config.toml or its directory; events from nostr.db',
    },
    nostream: {
      args: '<path>',
      summary: 'From nostream: settings.yaml or its directory; events from PostgreSQL by psql',
    },
    'khatru-jsonl': {
      args: '<path>',
      summary:
        'From a relay on khatru: a file of events, one JSON object a line, or a directory of them',
    },
  },
  summary: 'Move in from another relay: translate its configuration, copy its events',
  flags: [
    { name: '--dry-run', text: 'Show what would be carried over, count the events, and end' },
    {
      name: '--config-out <file>',
      text: `Write the configuration of wok here (default ./${CONFIG_NAME})`,
    },
    { name: '--force', text: 'Replace the file of --config-out' },
    { name: '--data <directory>', text: 'Where the database of wok is (storage.directory)' },
    {
      name: '--only <config|events>',
      text: 'Only write the configuration, or only copy the events',
    },
    {
      name: '--since <time>',
      text: 'Copy events from this time on: seconds since 1970, or a date (2026-01-31)',
      of: ['strfry', 'nostr-rs-relay', 'nostream'],
      excludes: ['events'],
    },
    {
      name: '--events <file>',
      text: 'Take the events from this file, one JSON object a line (gzip and zstd are recognised)',
      of: ['strfry', 'nostr-rs-relay', 'nostream'],
    },
    {
      name: '--strfry <program>',
      text: 'The program strfry (default: the one in PATH); with spaces, a command for the shell',
      of: ['strfry'],
      excludes: ['events'],
    },
    {
      name: '--run-in <directory>',
      text: 'Directory in which strfry is started (default: that of strfry.conf)',
      of: ['strfry'],
    },
    {
      name: '--router <file>',
      text: 'File of strfry router (default: strfry-router.conf beside strfry.conf)',
      of: ['strfry'],
    },
    {
      name: '--database <place>',
      text: 'nostr.db or its directory; for nostream postgresql://USER:PASSWORD@HOST/NAME',
      of: ['nostr-rs-relay', 'nostream'],
      excludes: ['events'],
    },
    {
      name: '--psql <program>',
      text: 'The program psql (default: the one in PATH); with spaces, a command for the shell',
      of: ['nostream'],
      excludes: ['events'],
    },
    {
      name: '--info <file>',
      text: 'Relay information document (NIP-11) of the relay, saved as a file',
      of: ['khatru-jsonl'],
    },
    { name: '--no-verify', text: 'Do not verify signatures; ids are still checked' },
    { name: '--show-rejected', text: 'Print every rejected event on standard error' },
  ],
  examples: [
    'wok migrate strfry /etc/strfry.conf --dry-run',
    'wok migrate strfry /etc/strfry.conf --config-out /etc/wok/relay.conf --data /var/lib/wok',
    'wok migrate nostr-rs-relay /var/lib/nostr-rs-relay',
    'wok migrate nostream ~/nostream --psql "docker compose exec -T nostream-db psql -U nostr_ts_relay"',
    'wok migrate khatru-jsonl events.jsonl --info info.json',
  ],
  async run(call) {
    const since = call.flags.last('since');
    const wishes = {
      only: onlyOf(call),
      since: since === undefined ? undefined : timeOf('since', since),
      file: call.flags.last('config-out') ?? CONFIG_NAME,
    };
    const { migrate } = await import('./migration.ts');
    return interruptible((signal) => migrate(call, wishes, signal));
  },
};

/** @throws UsageError for another word than the two. */
function onlyOf({ flags }: Call): 'config' | 'events' | undefined {
  const only = flags.last('only');
  if (only === undefined || only === 'config' || only === 'events') return only;
  throw new UsageError(`--only must be config or events, not "${only}".`);
}
