// `wok negentropy`: shows the trees of ids that negentropy sessions use, and changes which filters
// have one.

import type { ListedTree } from '../admin/sync-trees.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { formatCount } from '../lib/format.ts';
import { type Call, type Command, CommandError, print } from './command.ts';
import { configOfCall } from './config-flags.ts';
import { askRelay, controlFlags } from './control.ts';
import { storageFailure } from './failure.ts';
import { withLocalRelay } from './local-relay.ts';

/** Command `wok negentropy`: lists, adds, removes and reloads the trees of filters. */
export const negentropyCommand: Command = {
  name: 'negentropy',
  actions: {
    list: { args: '', summary: 'Show the trees: number, filter, events' },
    add: { args: '<filter>', summary: 'Keep a tree of the events of a filter, from now on' },
    remove: { args: '<filter>', summary: 'End such a tree; a filter or its number' },
    build: { args: '<filter>', summary: 'Load a tree anew; a filter or its number' },
  },
  summary: 'Show and change the filters whose events are ready to be compared (NIP-77)',
  flags: controlFlags,
  examples: [
    'wok negentropy list',
    `wok negentropy add '{"kinds":[0,3,10002]}'`,
    'wok negentropy remove 2',
  ],
  async run(call) {
    const config = configOfCall(call);
    try {
      await withLocalRelay(config, () => (call.action === 'list' ? list(call) : change(call)));
      return exitCodes.ok;
    } catch (error) {
      return storageFailure(error, config.storage);
    }
  },
};

async function change(call: Call): Promise<void> {
  const filter = await filterOf(call);
  await askRelay(call, 'negentropy.change', { do: call.action, filter });
  if (call.flags.has('json')) print(JSON.stringify({ [call.action]: filter }));
}

async function list(call: Call): Promise<void> {
  const trees = await askRelay<ListedTree[]>(call, 'negentropy');
  if (call.flags.has('json')) {
    print(JSON.stringify(trees));
    return;
  }
  if (trees.length === 0) print('There are no trees: negentropy.enabled is false.');
  for (const [index, { filter, events, isComplete, from }] of trees.entries()) {
    const size = isComplete ? `${formatCount(events)} events` : 'being loaded';
    print(`${index + 1}  ${filter === '' ? '{}' : filter}  ${size}, ${ORIGINS[from]}`);
  }
}

const ORIGINS = {
  always: 'always kept',
  configuration: 'of negentropy.filters',
  added: 'added by wok negentropy',
} as const;

/** Returns the filter that a call names, by its JSON or by its number in the list. */
async function filterOf(call: Call): Promise<string> {
  const text = call.args[0] ?? '';
  if (!/^\d+$/.test(text)) return text;
  const trees = await askRelay<ListedTree[]>(call, 'negentropy');
  const tree = trees[Number(text) - 1];
  if (tree !== undefined && tree.filter !== '') return tree.filter;
  const why =
    tree === undefined
      ? `there is no tree ${text}; wok negentropy list shows them.`
      : 'the tree of all events is always kept, and loads itself.';
  throw new CommandError(why, exitCodes.refused);
}
