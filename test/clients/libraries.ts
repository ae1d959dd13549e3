// Client libraries under test: the command that starts the program of each, and its known limits.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/paths.ts';

/** Folder of the client programs. */
export const CLIENTS = join(packageRoot, 'test/clients');

/** Limit of a library with any relay; docs/clients.md describes it for readers. */
export interface Limit {
  /** Names of the steps. */
  steps: RegExp;
  /** Relay on which it shows, of the two; both, if left out. */
  relay?: 'the defaults' | 'auth.required = "all"';
  reason: string;
}

/** Client library, and the command that starts its program. */
export interface Library {
  name: string;
  version: string;
  language: 'JavaScript' | 'Python' | 'Go';
  command: readonly string[];
  limits: readonly Limit[];
}

const { dependencies } = JSON.parse(readFileSync(join(CLIENTS, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};

function javaScript(name: string, file: string, ...limits: Limit[]): Library {
  const command = [
    process.execPath,
    '--import',
    './adapters/like-a-browser.js',
    `adapters/${file}.js`,
  ];
  return { name, version: dependencies[name]!, language: 'JavaScript', command, limits };
}

/** Returns the text of a file that the pattern finds in it. */
function pinned(file: string, pattern: RegExp): string {
  return pattern.exec(readFileSync(join(CLIENTS, file), 'utf8'))![1]!;
}

const NO_RESUBSCRIPTION: Limit = {
  steps: /live after a restart/,
  reason: 'a reconnect does not bring subscriptions back',
};

export const LIBRARIES: readonly Library[] = [
  javaScript('nostr-tools', 'nostr-tools'),
  javaScript('@nostr-dev-kit/ndk', 'ndk', NO_RESUBSCRIPTION, {
    steps: /query after a restart/,
    reason: 'it does not connect again within two minutes',
  }),
  javaScript('@nostrify/nostrify', 'nostrify'),
  javaScript('applesauce-relay', 'applesauce'),
  javaScript('@welshman/net', 'welshman'),
  javaScript('@snort/system', 'snort', {
    steps: /./,
    relay: 'auth.required = "all"',
    reason: 'it answers a challenge only now and then, and repeats nothing that was refused',
  }),
  javaScript(
    'nostr-fetch',
    'nostr-fetch',
    { steps: /./, relay: 'auth.required = "all"', reason: 'it knows no AUTH' },
    { steps: /at once/, reason: 'it gives some requests of one second the same subscription id' },
  ),
  javaScript(
    'nostr-relaypool',
    'nostr-relaypool',
    {
      steps: /gift wraps with AUTH/,
      relay: 'the defaults',
      reason: 'it does not hear that a request was refused',
    },
    {
      steps: /live after a restart/,
      relay: 'auth.required = "all"',
      reason:
        'it subscribes before it authenticates again, and does not hear that this was refused',
    },
  ),
  javaScript('rx-nostr', 'rx-nostr'),
  javaScript('snstr', 'snstr', NO_RESUBSCRIPTION),
  {
    name: 'nostr-sdk (Python)',
    version: pinned('python/requirements.txt', /^nostr-sdk==(\S+)/m),
    language: 'Python',
    command: ['python/.venv/bin/python', 'python/client.py'],
    limits: [],
  },
  {
    name: 'go-nostr',
    version: pinned('go/go.mod', /go-nostr v(\S+)/),
    language: 'Go',
    command: ['go/client'],
    limits: [
      {
        steps: /gift wraps among other kinds/,
        relay: 'the defaults',
        reason: 'it authenticates only when something was refused',
      },
    ],
  },
];
