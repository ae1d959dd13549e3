// Reader of the relay information document (NIP-11) of a relay on khatru, saved as a file.

import { exitCodes } from '../../../lib/exit-codes.ts';
import { readText } from '../files.ts';
import { type Reading, SourceError } from '../source.ts';
import { isTree, type Tree, translate } from '../translation.ts';
import { khatruRules } from './rules.ts';

const HOW =
  "curl -H 'Accept: application/nostr+json' https://relay.example > info.json, then --info info.json";

/**
 * Reads what can be known of the configuration of a relay on khatru.
 *
 * @param file relay information document; undefined: none.
 * @throws SourceError
 */
export function readKhatru(file: string | undefined): Reading {
  const tree = file === undefined ? {} : documentOf(file);
  const translation = translate(tree, khatruRules, '.');
  translation.apply(
    (_, into) =>
      into.act(
        'a relay on khatru is configured in its Go code: its rules (RejectEvent, RejectFilter and others) have to be written as options, plugins or policy modules (docs/policy.md, docs/plugins.md).',
      ),
    'rules in code',
    undefined,
  );
  if (file === undefined) {
    translation.apply(
      (_, into) => into.act(`name and limits can be taken from it: ${HOW}.`),
      'relay information document',
      undefined,
    );
  }
  return { translation, from: file ?? 'a relay on khatru', takesPayments: false };
}

function documentOf(file: string): Tree {
  const text = readText(file);
  try {
    const value: unknown = JSON.parse(text);
    if (isTree(value)) return value;
  } catch {
    // The sentence below says what is wanted.
  }
  throw new SourceError(
    `${file} is no relay information document. Save it with: ${HOW}.`,
    exitCodes.refused,
  );
}
