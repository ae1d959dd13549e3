// Sources of `wok migrate`: for each relay its configuration and its events, as a call asks for
// them, and the sentences about switching that differ between relays.

import { resolve } from 'node:path';
import { lineFiles, lineFilesAt } from '../../maintenance/migrate/files.ts';
import { readKhatru } from '../../maintenance/migrate/khatru/config.ts';
import { readNostrRsRelay } from '../../maintenance/migrate/nostr-rs-relay/config.ts';
import { nostrRsRelayEvents } from '../../maintenance/migrate/nostr-rs-relay/events.ts';
import { readNostream } from '../../maintenance/migrate/nostream/config.ts';
import { nostreamEvents } from '../../maintenance/migrate/nostream/events.ts';
import type { EventSource, Reading } from '../../maintenance/migrate/source.ts';
import { readStrfry } from '../../maintenance/migrate/strfry/config.ts';
import { strfryEvents } from '../../maintenance/migrate/strfry/events.ts';
import type { Call } from '../command.ts';

type SourceName = 'strfry' | 'nostr-rs-relay' | 'nostream' | 'khatru-jsonl';

/** Relay to move from. */
export interface Origin {
  readonly reading: Reading;
  readonly advice: Advice;
  /** Opens its events. @throws SourceError */
  events(): EventSource;
}

/** Sentences about a relay for the steps of a switch. */
export interface Advice {
  /** Name of the relay in a sentence. */
  readonly relay: string;
  /** Command or action that stops it. */
  readonly stop: string;
  /** Command that brings events which wok has stored since the switch back to it. */
  readonly back: string;
}

const advices: Readonly<Record<SourceName, Advice>> = {
  strfry: {
    relay: 'strfry',
    stop: 'sudo systemctl stop strfry',
    back: 'strfry --config STRFRY.CONF import < back.jsonl',
  },
  'nostr-rs-relay': {
    relay: 'nostr-rs-relay',
    stop: 'sudo systemctl stop nostr-rs-relay',
    back: 'bulkloader --db DIRECTORY < back.jsonl',
  },
  nostream: {
    relay: 'nostream',
    stop: 'docker compose stop nostream',
    back: 'nostream import back.jsonl',
  },
  'khatru-jsonl': {
    relay: 'the relay',
    stop: 'stop the relay',
    back: 'nak event ws://127.0.0.1:3334 < back.jsonl',
  },
};

/** Reads the configuration that a call names. @throws SourceError */
export async function originOf(call: Call): Promise<Origin> {
  const { flags, cwd, action, args } = call;
  const path = resolve(cwd, args[0]!);
  const fileOf = (name: string) => {
    const value = flags.last(name);
    return value === undefined ? undefined : resolve(cwd, value);
  };
  const name = action as SourceName;
  const advice = advices[name];
  const file = fileOf('events');
  const fromFile = file === undefined ? undefined : () => lineFiles(lineFilesAt(file));
  switch (name) {
    case 'strfry': {
      const reading = readStrfry(path, fileOf('router'), fileOf('run-in'));
      const program = programOf(call, 'strfry');
      return { reading, advice, events: fromFile ?? (() => strfryEvents(reading, program)) };
    }
    case 'nostr-rs-relay': {
      const reading = readNostrRsRelay(path, fileOf('database'));
      return { reading, advice, events: fromFile ?? (() => nostrRsRelayEvents(reading)) };
    }
    case 'nostream': {
      const reading = await readNostream(path);
      const url = flags.last('database');
      const program = programOf(call, 'psql');
      return {
        reading,
        advice,
        events: fromFile ?? (() => nostreamEvents(reading, url, program, cwd)),
      };
    }
    default:
      return {
        reading: readKhatru(fileOf('info')),
        advice,
        events: () => lineFiles(lineFilesAt(path)),
      };
  }
}

/** Returns the program of a flag, absolute if it is a path. */
function programOf({ flags, cwd }: Call, name: string): string | undefined {
  const value = flags.last(name);
  if (value === undefined || /\s/.test(value) || !value.includes('/')) return value;
  return resolve(cwd, value);
}
