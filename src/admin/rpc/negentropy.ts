// RPC methods of the trees that negentropy sessions use.

import { z } from 'zod';
import { rpcMethod } from '../../rpc/method.ts';
import type { AdminContext, AdminReads } from '../context.ts';
import type { ListedTree } from '../sync-trees.ts';

/** RPC method `negentropy`: returns the trees, that of all events first. */
export const treesMethod = rpcMethod({
  params: z.strictObject({}),
  run: (_, context: AdminReads): ListedTree[] => context.trees.list,
});

/** RPC method `negentropy.change`: adds or removes the tree of a filter, or loads it anew. */
export const changeTreesMethod = rpcMethod({
  params: z.strictObject({ do: z.enum(['add', 'remove', 'build']), filter: z.string() }),
  async run({ do: what, filter }, { trees }: AdminContext, { by }): Promise<boolean> {
    if (what === 'add') await trees.add(filter, by);
    else if (what === 'remove') await trees.remove(filter, by);
    else trees.rebuild(filter);
    return true;
  },
});
