// Every step of steps.ts with every client library, against an in-process relay with the defaults
// and one with auth.required = "all". Each library runs in a program of its own.

import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import type { Settings } from '../support/relay.ts';
import type { Client } from './client.ts';
import { install } from './install.ts';
import { LIBRARIES, type Library } from './libraries.ts';
import { Stage } from './stage.ts';
import { STEPS } from './steps.ts';

const RELAYS: Readonly<Record<string, Settings>> = {
  'the defaults': {},
  'auth.required = "all"': { 'auth.required': 'all' },
};

/**
 * Extent of a run: "short" has the steps that CI runs, "all" also those that a library is known not
 * to manage.
 */
const extent = process.env.WOK_TEST_CLIENTS;

const missing = new Map<Library['language'], string>();
for (const language of new Set(LIBRARIES.map((library) => library.language))) {
  const reason = await install(language);
  if (reason === null) continue;
  missing.set(language, reason);
  process.stdout.write(`clients: no libraries for ${language} are tried: ${reason}\n`);
}

const titled = LIBRARIES.map((library) => [`${library.name} ${library.version}`, library] as const);

describe.for(titled)('%s', ([, library]) => {
  describe.for(Object.entries(RELAYS))('on a relay with %s', ([relay, settings]) => {
    let stage: Stage;
    let client: Client | undefined;
    beforeAll(async () => {
      stage = await Stage.open(settings);
    });
    afterAll(() => stage.stop());
    afterEach(() => client?.stop());

    const steps = STEPS.filter(({ short }) => extent !== 'short' || short);
    it.for(steps.map((step) => [step.name, step] as const))('%s', async ([, step], { skip }) => {
      const absent = missing.get(library.language);
      skip(absent !== undefined, absent);
      const limit = library.limits.find(
        (one) => one.steps.test(step.name) && (one.relay ?? relay) === relay,
      );
      skip(limit !== undefined && extent !== 'all', limit?.reason);
      const isKeyed = step.keyed || settings['auth.required'] === 'all';
      client = await stage.start(library, isKeyed);
      const lacking = (step.needs ?? []).filter((verb) => !client!.can.has(verb));
      skip(lacking.length > 0, `the library has no ${lacking}`);
      await step.run(client, stage);
    });
  });
});
